// As much of Node as the tests use.
declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): void;
}
declare module "node:assert/strict" {
  interface Assert {
    equal(got: unknown, want: unknown, says?: string): void;
    deepEqual(got: unknown, want: unknown, says?: string): void;
    ok(value: unknown, says?: string): void;
    match(text: string, form: RegExp, says?: string): void;
  }
  const assert: Assert;
  export default assert;
}
declare module "node:http" {
  export interface Answer { writeHead(status: number, headers?: Record<string, string>): void; write(text: string): void; end(text?: string): void; destroy(): void }
  export interface Request { url: string; headers: Record<string, string | undefined>; on(event: "close", run: () => void): void }
  export interface Server { listen(port: number, host: string, run: () => void): void; address(): { port: number }; close(): void; closeAllConnections(): void }
  export function createServer(serve: (q: Request, r: Answer) => void): Server;
}

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;

/** Answers at once, is ready only when its context is loaded, and says 503 at /ready until then. */
public class Server {
	static volatile boolean ready;

	public static void main(String[] args) throws Exception {
		String version = Files.readString(Path.of("version")).trim();
		String line = "java v" + version + " says " + System.getenv("GREETING") + " from " + System.getenv("HOSTNAME") + "\n";
		HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
		server.setExecutor(Executors.newFixedThreadPool(8));
		server.createContext("/ready", x -> answer(x, ready ? 200 : 503, ready ? "ready" : "loading"));
		server.createContext("/", x -> answer(x, ready ? 200 : 503, line));
		server.start();
		for (int bean = 1; bean <= 5; bean++) {
			System.out.println("loading bean " + bean + " of 5");
			Thread.sleep(1000);
		}
		ready = true;
		System.out.println("Started Server, " + Runtime.getRuntime().maxMemory() / 1048576 + " MB of heap");
		Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(5)));
	}

	static void answer(com.sun.net.httpserver.HttpExchange x, int status, String text) throws IOException {
		try (x) {
			x.sendResponseHeaders(status, text.length());
			x.getResponseBody().write(text.getBytes());
		}
	}
}

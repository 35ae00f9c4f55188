// Command probe prints what a process in a container sees and may do, as one
// JSON object of texts, and lives on until a signal ends it. It is static, so
// that it can stand for any program of an image: its shell and its init too.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "orphan" {
		leaveOrphan()
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGQUIT)
	seen := map[string]string{"argv": strings.Join(os.Args, " "), "process 1": fmt.Sprint(os.Getpid() == 1)}
	identity(seen)
	status(seen)
	limits(seen)
	mounts(seen)
	rights(seen)
	seen["orphans"] = orphans()
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		os.Exit(1)
	}
	<-stop
}

func identity(seen map[string]string) {
	seen["working directory"], _ = os.Getwd()
	seen["hostname"], _ = os.Hostname()
	groups, _ := os.Getgroups()
	seen["user"] = fmt.Sprint(os.Getuid(), os.Getgid(), groups)
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		seen["env "+k] = v
	}
	for fd, name := range []string{"stdin", "stdout", "stderr"} {
		target, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		seen[name], _, _ = strings.Cut(target, "[")
	}
	links, _ := net.Interfaces()
	for _, l := range links {
		seen["interface "+l.Name] = "yes"
	}
	for _, file := range []string{"/etc/resolv.conf", "/proc/self/oom_score_adj", "/proc/sys/net/ipv4/ip_unprivileged_port_start"} {
		seen[file] = read(file)
	}
}

// status has the sets of capabilities, signals and filters of the process.
func status(seen map[string]string) {
	for line := range strings.Lines(read("/proc/self/status")) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", "SigIgn", "Umask":
			seen[name] = strings.TrimSpace(value)
		}
	}
}

func limits(seen map[string]string) {
	for line := range strings.Lines(read("/proc/self/limits")) {
		if name, ok := strings.CutPrefix(line, "Max "); ok {
			seen["limit "+strings.TrimSpace(name[:22])] = strings.Join(strings.Fields(name[22:]), " ")
		}
	}
	for _, file := range []string{
		"memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes", "cpu/cpu.cfs_quota_us", "pids/pids.max",
		"memory.max", "memory.swap.max", "cpu.max", "pids.max",
	} {
		if text := read("/sys/fs/cgroup/" + file); text != "" {
			seen["cgroup "+file] = text
		}
	}
}

// mounts has each mount point with its file system and options.
func mounts(seen map[string]string) {
	for line := range strings.Lines(read("/proc/self/mountinfo")) {
		front, back, _ := strings.Cut(line, " - ")
		f, b := strings.Fields(front), strings.Fields(back)
		text := b[0] + " " + f[5]
		if b[0] == "tmpfs" {
			text += " " + b[2]
		}
		seen["mount "+f[4]] = text
	}
}

// rights tries what programs of stock images do.
func rights(seen map[string]string) {
	file := fmt.Sprintf("/tmp-%d", os.Getpid())
	seen["write to /"] = outcome(os.WriteFile(file, nil, 0o600))
	seen["chown"] = outcome(os.Chown(file, 33, 33))
	seen["mknod"] = outcome(syscall.Mknod(file+"-node", syscall.S_IFCHR|0o600, 1<<8|3))
	seen["chroot"] = outcome(run(&syscall.SysProcAttr{Chroot: "/"}))
	seen["become another user"] = outcome(run(&syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 33, Gid: 33}}))
	raw, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
	seen["raw socket"] = outcome(err)
	_ = syscall.Close(raw)
	l, err := net.Listen("tcp", ":80")
	seen["listen on 80"] = outcome(err)
	if err == nil {
		_ = l.Close()
	}
}

func outcome(err error) string {
	if err != nil {
		return "refused"
	}
	return "yes"
}

// run starts this program, for an end at once, with attributes.
func run(attr *syscall.SysProcAttr) error {
	cmd := exec.Command("/proc/self/exe", "orphan", "end")
	cmd.SysProcAttr = attr
	return cmd.Run()
}

// leaveOrphan starts a process that ends at once, and does not wait for it.
func leaveOrphan() {
	if len(os.Args) > 2 {
		return
	}
	cmd := exec.Command("/proc/self/exe", "orphan", "end")
	if err := cmd.Start(); err == nil {
		fmt.Print(cmd.Process.Pid)
	}
}

// orphans says what becomes of a process whose parent is gone: it is reaped, or
// stays a zombie under this one, which is process 1 and reaps nothing.
func orphans() string {
	out, err := exec.Command("/proc/self/exe", "orphan").Output()
	if err != nil {
		return err.Error()
	}
	for {
		stat := read("/proc/" + string(out) + "/stat")
		if stat == "" {
			return "reaped"
		}
		f := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
		if f[0] == "Z" && f[1] == fmt.Sprint(os.Getpid()) {
			return "stay zombies"
		}
	}
}

// read gives a file's text without the last newline, "" when it can't be read.
func read(file string) string {
	b, _ := os.ReadFile(file)
	return string(bytes.TrimSpace(b))
}

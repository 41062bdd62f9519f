#!/usr/bin/env python3
"""The control socket and the metrics of running programs.

    control.py BUILD

Packets come through a pipe while questions are asked. Prints TAP.
"""
import fcntl, json, os, pty, select, signal, socket, stat, struct, subprocess, sys, tempfile, termios
import threading, time

import live
from live import BUILD, ok, until


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """One run, fed from a pipe until stop() or the end."""

    def __init__(self, name, *words, feed=True):
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "s")
        self.port = free_port()
        with open(os.path.join(self.dir.name, "rules"), "w") as file:
            file.write('alert udp any any -> any 53 (msg:"a question"; sid:1;)\n')
        words = [w.replace("DIR", self.dir.name) for w in words]
        self.err_file = open(os.path.join(self.dir.name, "err"), "w")
        self.p = subprocess.Popen(
            [os.path.join(BUILD, name), *words, "--control", self.path, "--metrics", str(self.port),
             "-r", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self.err_file)
        live.running.append(self.p)
        with open(os.path.join(BUILD, "pcaps/udp_dns.pcap"), "rb") as file:
            self.capture = file.read()
        self.feeding = feed
        self.send(self.capture[:24])
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.feeder.start()
        until(lambda: self.listens() or self.p.poll() is not None)

    def listens(self):
        with open("/proc/net/unix") as file:
            control = any(line.split()[3] == "00010000" and line.rstrip().endswith(" " + self.path)
                          for line in list(file)[1:])
        with open("/proc/net/tcp") as file:
            metrics = any(line.split()[1].endswith(":%04X" % self.port) and line.split()[3] == "0A"
                          for line in list(file)[1:])
        return control and metrics

    def send(self, data):
        try:
            self.p.stdin.write(data)
            self.p.stdin.flush()
        except (BrokenPipeError, ValueError):
            self.feeding = False

    def feed(self):
        while self.feeding:
            self.send(self.capture[24:])
            time.sleep(0.02)

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(self.path)
        return s

    def ask(self, *lines):
        """One connection; an answer for each line."""
        with self.connect() as s, s.makefile("rw") as file:
            answers = []
            for line in lines:
                file.write(line + "\n")
                file.flush()
                answers.append(json.loads(file.readline()))
            return answers if len(lines) > 1 else answers[0]

    def http(self, request):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            s.sendall(request)
            return read_all(s)

    def err(self):
        with open(os.path.join(self.dir.name, "err")) as file:
            return file.read()

    def end(self):
        self.feeding = False
        self.feeder.join()
        try:
            self.p.stdin.close()
        except BrokenPipeError:
            pass
        try:
            return self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return "it had to be killed"


def read_all(s):
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more
    except ConnectionResetError:
        return data


def has_ids():
    return os.access(os.path.join(BUILD, "weir-ids"), os.X_OK)


def check_commands():
    run = Program("weir-ids", "-l", "DIR", "-S", "DIR/rules")
    ok(stat.S_IMODE(os.stat(run.path).st_mode) == 0o600, "the socket is for its owner alone")
    until(lambda: run.ask("stats").get("alerts", 0) > 0)
    answers = run.ask("version", "stats")
    ok(answers[0]["program"] == "weir-ids" and "version" in answers[0], "version", answers)
    first = answers[1]
    ok(first["packets"] > 0 and first["events"]["packet"] == first["packets"] and first["alerts"] > 0
       and first["rules_loaded"] == 1 and first["cores"] == 1, "stats are those of the run", first)
    time.sleep(0.2)
    ok(run.ask("stats")["packets"] > first["packets"], "stats go on")
    with open(os.path.join(run.dir.name, "rules"), "a") as file:
        file.write('alert udp any any -> any 53 (msg:"another"; sid:2;)\n')
    ok(run.ask("reload-rules") == {"ok": True} and
       until(lambda: run.ask("stats")["rules_loaded"] == 2), "reload-rules", run.err())
    log = os.path.join(run.dir.name, "fast.log")
    os.rename(log, log + ".1")
    ok(run.ask("reopen-logs") == {"ok": True} and until(lambda: os.path.exists(log)), "reopen-logs")
    second = subprocess.run([os.path.join(BUILD, "weir"), "--control", run.path, "-r", "-"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    ok(second.returncode == 1 and "is in use" in second.stderr and "version" in run.ask("version"),
       "a socket that is in use is left alone", second)
    ok(run.ask("shutdown") == {"ok": True} and run.p.wait(20) == 128 + signal.SIGTERM,
       "shutdown ends a replay as SIGTERM does")
    ok(run.end() == 128 + signal.SIGTERM and not os.path.exists(run.path), "the socket is removed")


def check_clients():
    run = Program("weir")
    with run.connect() as s, s.makefile("r") as file:
        s.sendall(b"ver")
        time.sleep(0.1)
        s.sendall(b"sion\nversion\nno such\n\x00\xff\n\nreload-rules\nreopen-logs\nstat")
        answers = [json.loads(file.readline()) for _ in range(7)]
        s.sendall(b"s\n")
        answers.append(json.loads(file.readline()))
    kinds = ["error" if "error" in a else "packets" if "packets" in a else "version" for a in answers]
    ok(kinds == ["version"] * 2 + ["error"] * 5 + ["packets"],
       "half lines, several at a time, and garbage", answers)
    with run.connect() as s:
        s.sendall(b"x" * 4096)
        data = read_all(s)
    ok(json.loads(data)["error"].startswith("the line is longer"), "a line that is too long", data)
    with run.connect() as s:
        s.sendall(b"version\n" * 3 + b"versi")
        s.shutdown(socket.SHUT_WR)
        data = read_all(s)
    ok(data.count(b"\n") == 3, "who sends no more gets its answers, half a line is none", data)
    with run.connect() as s:
        s.sendall(b"version\n" * 3000)
        s.shutdown(socket.SHUT_WR)
        data = read_all(s)
    ok(data.count(b"\n") == 3000, "many lines at a time are all answered", len(data))
    many = [run.connect() for _ in range(8)]
    for s in many:
        s.sendall(b"version\n")
    served = all(s.recv(1000).startswith(b'{"program"') for s in many)
    with run.connect() as s:
        data = read_all(s)
    ok(served and b"too many" in data, "eight clients are served, a ninth is told", served, data)
    for s in many:
        s.close()
    ok(until(lambda: "error" not in try_ask(run)), "places are free again")
    with run.connect() as deaf:
        deaf.setblocking(False)
        try:
            while True:
                deaf.send(b"stats\n" * 600)
        except BlockingIOError:
            pass
        began = time.monotonic()
        answers = run.ask("version", "stats")
        ok("packets" in answers[1] and time.monotonic() - began < 2,
           "who does not read its answers holds nobody up", answers)
    run.connect().close()
    ok("packets" in run.ask("stats"), "who asks nothing does no harm")
    run.ask("shutdown")
    run.end()


def try_ask(run):
    try:
        return run.ask("version")
    except (OSError, ValueError):
        return {"error": "refused"}


def check_busy():
    run = Program("weir", feed=False)
    began = time.monotonic()
    answer = run.ask("stats")
    took = time.monotonic() - began
    ok(answer == {"error": "busy"} and 1.5 < took < 4, "without packets from a pipe it is busy", answer)
    with run.connect() as s:
        s.sendall(b"stats\n")
        began = time.monotonic()
        answer = run.ask("version")
        ok("version" in answer and time.monotonic() - began < 1, "others are served meanwhile", answer)
    ok(run.ask("shutdown") == {"ok": True} and run.end() == 128 + signal.SIGTERM,
       "shutdown wakes a read that waits", run.err())


def check_cores():
    run = Program("weir", "-j", "3")
    until(lambda: run.ask("stats").get("packets", 0) > 1000)
    said = run.ask("stats")
    each = said["core_packets"]
    ok(sorted(each) == sorted(said["core_cpu_ms"]) == ["0", "1", "2"] and
       sum(each.values()) == said["packets"],
       "what cores did adds up", said)
    ok(0 < sum(said["core_cpu_ms"].values()) <= said["cpu_ms"], "their CPU time is the program's", said)
    body = run.http(b"GET /metrics HTTP/1.1\r\n\r\n").decode()
    ok(all('weir_core_packets_total{core="%d"}' % i in body for i in range(3)), "cores have metrics", body)
    run.ask("shutdown")
    run.end()


def check_metrics():
    run = Program("weir")
    get = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    head, _, body = run.http(get).partition(b"\r\n\r\n")
    lines = body.decode().split("\n")
    ok(b"200 OK" in head and b"application/openmetrics-text; version=1.0.0" in head and
       ("Content-Length: %08d" % len(body)).encode() in head, "GET /metrics", head)
    names = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE")}
    samples = [line.split("{")[0].split()[0] for line in lines if line and line[0] != "#"]
    good = all(s in names if names.get(s) == "gauge" else
               s.rsplit("_", 1)[0] in names and s.rsplit("_", 1)[1] in ("total", "info")
               for s in samples)
    ok(good and len(samples) > 50 and lines[-2:] == ["# EOF", ""], "it is OpenMetrics", body)
    ok(b" 404 " in run.http(b"GET / HTTP/1.1\r\n\r\n") and b" 405 " in run.http(b"PUT /metrics HTTP/1.1\r\n\r\n")
       and b" 400 " in run.http(b"garbage\r\n\r\n") and b" 431 " in run.http(b"GET /" + b"x" * 4091),
       "other paths and methods, garbage and endless heads")
    idle = [socket.create_connection(("127.0.0.1", run.port)) for _ in range(8)]
    time.sleep(0.2)
    data = run.http(get)
    ok(b" 503 " in data or data == b"", "too many are refused", data)
    ok("packets" in run.ask("stats"), "and the socket answers on")
    ok(until(lambda: b" 200 " in run.http(get), 15), "who asks nothing is sent away in time")
    for s in idle:
        s.close()
    run.ask("shutdown")
    run.end()


def check_words():
    """The table of counters in weir(1) against what the programs say."""
    with open(os.path.join(os.environ["srcdir"], "man/weir.1")) as file:
        rows = [line[4:].split(" Ta ") for line in file.read().split(".Sh COUNTERS")[1].split(".Sh")[0].split("\n")
                if line.startswith(".It ")][1:]
    with open(os.path.join(os.environ["srcdir"], "monitor/counts.c")) as file:
        wire = [word.split('"')[0] for word in file.read().split('WIRE("')[1:]]
    run = Program("weir-ids", "-l", "DIR", "-S", "DIR/rules", "--set", "stats.interval=1")
    until(lambda: run.ask("stats")["packets"] > 0)
    control = run.ask("stats")
    metrics = run.http(b"GET /metrics HTTP/1.0\r\n\r\n").decode()
    run.p.send_signal(signal.SIGUSR1)
    until(lambda: "log_dropped" in run.err())
    run.ask("shutdown")
    run.end()
    with open(os.path.join(run.dir.name, "eve.json")) as file:
        eve = [r for r in map(json.loads, file) if r["event_type"] == "stats"][-1]["stats"]
    said = [line.split()[0] for line in run.err().split("\n") if len(line.split()) == 2]
    odd = []
    for row in rows:
        stats, name, suricatas = (cell.split()[0] for cell in row[1:])
        group, _, member = name.rpartition(".")
        metric = f"\nweir_{name}" if not group else \
            f'\nweir_{"limit_hits" if group == "limits" else group}_total{{'
        if name in wire:
            odd += [row] * (stats != name)
            continue
        odd += [row] * (stats not in (*said, "-"))
        odd += [row] * (member not in (control[group] if group else control))
        odd += [row] * (metric not in metrics or bool(group) and f'="{member}"' not in metrics)
        group, _, member = suricatas.rpartition(".")
        odd += [row] * (group not in ("", "capture") and member not in eve.get(group, {}))
    names = [row[1].split()[0] for row in rows]
    odd += [word for word in said if word not in names and not word.startswith("limit_")]
    ok(len(rows) > 20 and not odd, "weir(1) has the words of all counters", *odd)


def check_stale():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
        words = [os.path.join(BUILD, "weir"), "-q", "--control", path, "-r",
                 os.path.join(BUILD, "pcaps/udp_dns.pcap")]
        run = subprocess.run(words, capture_output=True, text=True)
        ok(run.returncode == 0 and not os.path.exists(path), "a stale socket is replaced", run)
        with open(path, "w"):
            pass
        run = subprocess.run(words, capture_output=True, text=True)
        ok(run.returncode == 1 and "no socket" in run.stderr and os.path.exists(path),
           "a file of that name is left alone", run)
        words[3] = "x" * 200
        run = subprocess.run(words, capture_output=True, text=True)
        ok(run.returncode == 2, "a path that no socket can have", run)


def top(*words):
    return subprocess.run([os.path.join(BUILD, "weir"), "top", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20)


class Screen:
    """weir top on a terminal."""
    ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"

    def __init__(self, *words, rows=24, columns=80, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.p = subprocess.Popen([os.path.join(BUILD, "weir"), "top", "--interval", "0.1", *words],
                                  stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                  env={**os.environ, **environment})
        self.seen = ""

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536).decode()
        return self.seen

    def frames(self):
        return self.read().split("\x1b[H")[1:]

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.p.send_signal(signal.SIGWINCH)

    def end(self):
        code = None
        until(lambda: self.read() is not None and self.p.poll() is not None)
        self.read()
        code = self.p.poll()
        restored = termios.tcgetattr(self.slave) == self.before
        if code is None:
            self.p.kill()
        os.close(self.master)
        os.close(self.slave)
        return code, restored


def check_top():
    run = Program("weir")
    until(lambda: run.ask("stats")["packets"] > 0)
    once = top("--control", run.path, "--interval=0.5", "--once")
    rows = {line.rsplit(None, 2)[0].strip(): line.split()[-2:] for line in once.stdout.split("\n")
            if len(line.split()) >= 3}
    ok(once.returncode == 0 and once.stdout.startswith("weir ") and float(rows["packets"][1]) > 0 and
       float(rows["bits"][1]) > float(rows["packets"][1]) and float(rows["datagram"][1]) > 0,
       "top prints the rates of an interval", once)
    ok("\x1b" not in once.stdout and top("--control", run.path, "--interval", "0.1").stdout.count("per s") == 1,
       "once, too, where there is no terminal")
    screen = Screen("--control", run.path)
    good = until(lambda: len(screen.frames()) > 3 and "per s" in screen.read())
    ok(good and screen.seen.startswith(screen.ENTER) and screen.seen.count(screen.ENTER) == 1,
       "on a terminal it draws again and again", screen.seen)
    screen.resize(5, 30)
    n = len(screen.frames())
    until(lambda: len(screen.frames()) > n + 3)
    last = screen.frames()[-2]
    ok(last.count("\n") == 4 and max(len(line.split("\x1b")[0]) for line in last.split("\r\n")) <= 30,
       "and fits into a smaller one", repr(last))
    screen.resize(24, 50)
    good = until(lambda: "per s" in screen.frames()[-2] and
                 max(len(line.split("\x1b")[0]) for line in screen.frames()[-2].split("\r\n")) <= 50)
    ok(good, "its columns move together", repr(screen.frames()[-2]))
    os.write(screen.master, b"q")
    code, restored = screen.end()
    ok(code == 0 and restored and screen.seen.endswith(screen.LEAVE), "q ends it", code, repr(screen.seen[-80:]))
    screen = Screen("--control", run.path, rows=0, columns=0, LINES="6", COLUMNS="33")
    until(lambda: len(screen.frames()) > 3)
    last = screen.frames()[-2]
    ok(last.count("\n") == 5 and max(len(line.split("\x1b")[0]) for line in last.split("\r\n")) == 33,
       "a terminal that has no size has that of the environment", repr(last))
    os.write(screen.master, b"q")
    screen.end()
    screen = Screen("--control", run.path)
    until(lambda: len(screen.frames()) > 1)
    screen.p.send_signal(signal.SIGTSTP)
    until(lambda: screen.read().endswith(screen.LEAVE))
    screen.p.send_signal(signal.SIGCONT)
    good = until(lambda: screen.read().count(screen.ENTER) == 2)
    screen.p.send_signal(signal.SIGTERM)
    code, restored = screen.end()
    ok(good and code == 0 and restored and screen.seen.endswith(screen.LEAVE),
       "a signal leaves the terminal as it was", code, repr(screen.seen[-80:]))
    screen = Screen("--control", run.path)
    until(lambda: len(screen.frames()) > 1)
    run.ask("shutdown")
    code, restored = screen.end()
    said = screen.seen.split(screen.LEAVE)[-1]
    ok(code == 1 and restored and said.count("\n") == 1 and "the program has ended" in said,
       "so does the end of the program, which is told", code, repr(screen.seen[-200:]))
    run.end()
    lost = top("--control", run.path)
    ok(lost.returncode == 1 and lost.stderr.count("\n") == 1 and "--control " + run.path in lost.stderr,
       "no socket there: it says how to start one", lost)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(run.path)
    dead = top("--control", run.path)
    os.unlink(run.path)
    with open(run.path, "w"):
        plain = top("--control", run.path)
    os.unlink(run.path)
    ok(dead.returncode == 1 and "has ended" in dead.stderr and dead.stderr.count(run.path) == 2 and
       plain.returncode == 1 and plain.stderr.count("\n") == 1 and run.path + ": it is no socket" in plain.stderr,
       "a socket that is dead, and a file that is none", dead, plain)
    bad = [top("--interval", "0"), top("--interval"), top("--control", "x" * 200), top("--what")]
    ok(all(b.returncode == 2 and b.stderr.count("\n") == 1 for b in bad) and top("--help").returncode == 0,
       "wrong options", bad)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(run.path)
        s.listen()
        threading.Thread(target=lambda: s.accept()[0].sendall(b'{"a":"\x1b[2J"}\n')).start()
        odd = top("--control", run.path, "--once")
    ok(odd.returncode == 1 and "none of weir's" in odd.stderr and "\x1b" not in odd.stderr,
       "somebody else who answers", odd)
    os.unlink(run.path)
    run = Program("weir", feed=False)
    ok("busy" in top("--control", run.path, "--once").stderr, "a program that waits for packets is busy")
    run.ask("shutdown")
    run.end()


sys.exit(live.try_all([check_commands, check_words] * has_ids() +
                      [check_clients, check_busy, check_cores, check_metrics, check_top, check_stale]))

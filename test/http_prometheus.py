"""Metrics of a server, judged by promtool and by a real Prometheus; the files that name them."""
import json
import os
import re
import shutil
import subprocess
import time

from judge import ROOT
from ports import free_port
from serving import Server


def prometheus(verdict, server, scratch):
    if not shutil.which("promtool"):
        print("not run: promtool and prometheus, since they are not installed")
        return
    checked = subprocess.run(["promtool", "check", "metrics"], input=server.get("/metrics")[2], capture_output=True, check=False)
    verdict.equal((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""), "promtool check metrics")
    rules = subprocess.run(["promtool", "check", "rules", ROOT + "/export/alerts.yaml"], capture_output=True, check=False)
    verdict.equal(rules.returncode, 0, f"promtool check rules: {rules.stderr}")
    names = set(re.findall(r"\byamiscope_\w+", server.get("/metrics")[2].decode()))
    for source in ("export/http_metrics.c", "core/live_outlets.c"):
        with open(os.path.join(ROOT, source), encoding="utf-8") as f:
            names |= set(re.findall(r"\byamiscope_\w+", f.read()))
    for name in ("alerts.yaml", "grafana.json"):
        with open(os.path.join(ROOT, "export", name), encoding="utf-8") as f:
            text = f.read()
        verdict.equal(set(re.findall(r"\byamiscope_\w+", text)) - names, set(), f"{name}: metrics that there are")
        if name.endswith("json"):
            verdict.check(len(json.loads(text)["panels"]) > 4, "grafana.json")
    scraped(verdict, server, scratch)


def scraped(verdict, server, scratch):
    config = scratch + "/prometheus.yml"
    with open(config, "w", encoding="ascii") as f:
        f.write(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: y\n  static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]\n")
    port = free_port()
    process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={scratch}/tsdb", f"--web.listen-address=127.0.0.1:{port}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    asker = Server.__new__(Server)
    asker.host, asker.port = "127.0.0.1", port
    try:
        found, end = [], time.monotonic() + 180
        while not found and time.monotonic() < end:
            time.sleep(0.5)
            try:
                found = json.loads(asker.get("/api/v1/query?query=sum(yamiscope_feed_packets_total)")[2])["data"]["result"]
            except (OSError, ValueError, KeyError):
                pass
        expected = json.loads(server.get("/api/v1/health")[2])["feed"]["ledger"]["observed"]
        verdict.equal([float(r["value"][1]) for r in found], [expected], "Prometheus scrapes the packets")
    finally:
        process.terminate()
        process.wait(180)

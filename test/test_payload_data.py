"""test_payload_data.py: which payload rules show in the captures, as `explain --json` says.

SHOWN names, for every capture of iot-exploit and every other one with an exploit in it, the rules that its payloads
show; what each holds is said in the data folder's README and was looked up in its bytes with tshark. No other capture
may show a strict iot rule. All are read with --decap all.
"""
import json
import os
import sys

from judge import DATA, SKIP, Verdict, captures, data_is_here, parallel, run

# {capture: {rule: packets}}; a set where how many is not to the point.
SHOWN = {
    # GET /shell?cd+/tmp;...arm in ERSPAN in GRE, and its copy
    "iot-exploit/OISF_suricata-verify__bug-5437-01__input.pcap": {"iot-jaws-shell": 2},
    # CNXN "host::" and OPEN "shell:rm -rf ... wget"; the third packet to 5555 is an OKAY
    "iot-exploit/arkime_arkime__pcap__adb.pcap": {"iot-android-adb": 2},
    # an infected device: SYN retries to its control server, and NTP; it sends no exploit
    "iot-exploit/charleskamweti_NetworkAnalyzer__2018-07-31-15-15-09-192.168.100.113.pcap": {"infrastructure-ntp"},
    # one request each; LDAP, RMI and the class file that follow are no requests to the victim
    "iot-exploit/fox-it_log4shell-pcaps__log4shell-ldap-pcaps__ldap-uri-params-ev5.pcap": {"web-log4shell": 1},
    "iot-exploit/fox-it_log4shell-pcaps__log4shell-ldap-pcaps__ldap-user-agent-ev0.pcap": {"web-log4shell": 1},
    "iot-exploit/fox-it_log4shell-pcaps__log4shell-rmi-pcaps__rmi-uri-params-ev3.pcap": {"web-log4shell": 1},
    "iot-exploit/initconf_log4j__Traces__scan-and-callback.pcap": {"web-log4shell": 1},
    "scan/initconf_log4j__Traces__159.89.97.175.pcap": {"web-log4shell": 1},
    # POST /cgi-bin/.%2e/.../bin/sh; the body is a packet of its own
    "iot-exploit/idaholab_Malcolm-Test-Artifacts__CVE-2021-41773__apache_exploit_success.pcap": {"web-apache-traversal": 4},
    # of its 23 packets 6 are answers
    "iot-exploit/ntop_nDPI__pcap__bacnet.pcap": {"iot-bacnet-request": 17},
    "iot-exploit/ntop_nDPI__pcap__dotenv.pcap": {"web-secrets": 1},
    # POST /ipp/; what the printer answers shows nothing
    "iot-exploit/ntop_nDPI__pcap__ipp.pcap": {"printer-ipp": 4},
    "iot-exploit/ntop_nDPI__pcap__memcached.cap": {"database-memcached": 1},
    "iot-exploit/ntop_nDPI__pcap__modbus.pcap": {"industrial-modbus": 51},
    # the connection request with mstshash, and the MCS connect
    "iot-exploit/ntop_nDPI__pcap__rdp3.pcap": {"windows-rdp": 2},
    # OPTIONS among packets that say "hello"
    "iot-exploit/ntop_nDPI__pcap__sip_hello.pcapng": {"iot-sip": 4},
    # M-SEARCH to 32412, where a media server looks for its kin
    "iot-exploit/ntop_nDPI__pcap__ssdp-m-search.pcap": {"iot-ssdp": 19},
    "iot-exploit/ntop_nDPI__pcap__ubntac2.pcap": {"iot-ubiquiti-discovery": 8},
    # WS-Discovery of Windows
    "iot-exploit/ntop_nDPI__pcap__upnp.pcap": {"iot-ws-discovery": 14},
    # negotiations that never end: nothing but option bytes
    "iot-exploit/zeek_zeek__contentline__telnet-unclosed-suboption.pcapng.gz": {},
    # Modbus requests among probes of other protocols to the same port
    "iot-exploit/zeek_zeek__modbus__modbus-and-non-modbus-p502.pcap":
        {"industrial-modbus": 6, "windows-rdp": 1, "web-scanner": 1},
    # a Mozi bot's request for Netgear DGN
    "scan/initconf_zeek-hands-on-scripting__Traces__08-tables-identify-services-per-host.pcap": {"iot-netgear-dgn": 1},
    "scan/initconf_2024-09-cups-linux-rce__Traces__udp.pcap": {"printer-ipp"},
    "scan/initconf_RDP-bruteforce__Traces__RDP-one-account-many-hosts.pcap": {"windows-rdp"},
    "scan/initconf_sip-attacks__Traces__BadUserAgent-sipvicious.pcap": {"voip-scanner": 26},
    "scan/initconf_sip-attacks__Traces__BadUserAgent-sipvicious.pcap.3c71b34.pcap": {"voip-scanner": 26},
    "backscatter-ddos/initconf_Apple-RDP-net-assistant-DoS__Traces__Apple-RDP-net-assistant-DoS.pcap": {"remote-ard"},
}


def shown(path):
    """{rule: packets}, {strict iot rules} of a capture."""
    rules, strict = {}, set()
    for line in run("explain", "--json", "--decap", "all", path)[1].splitlines():
        if b'"evidence":"payload"' not in line:
            continue
        for rule in json.loads(line)["rules"]:
            if rule["evidence"] == "payload":
                rules[rule["id"]] = rules.get(rule["id"], 0) + 1
                strict |= {rule["id"]} if rule["breadth"] == "strict" else set()
    return rules, strict


def main():
    if not data_is_here():
        return SKIP
    if json.loads(run("rules", "list", "--json")[1])["payload_rules_off"]:
        print("not run: this program was built without Hyperscan")
        return SKIP
    verdict = Verdict()
    paths = captures()
    for path, (rules, strict) in zip(paths, parallel(shown, paths)):
        name = os.path.relpath(path, DATA)
        expected = SHOWN.pop(name, None)
        if expected is not None:
            verdict.equal(set(rules) if isinstance(expected, set) else rules, expected, name)
        else:
            verdict.check(not strict, f"{name}: shows {sorted(strict)} and stands in no row")
        verdict.check(expected is not None or not name.startswith("iot-exploit/"), f"{name}: stands in no row")
    verdict.check(not SHOWN, f"not there: {sorted(SHOWN)}")
    return verdict.finish()


if __name__ == "__main__":
    sys.exit(main())

/* payload_rows_iot: test packets of our own making for the payload rules of iot.yaml: vendors' and general protocols. */
#ifndef TEST_PAYLOAD_ROWS_IOT_H
#define TEST_PAYLOAD_ROWS_IOT_H

#include "test/payload_row.h"

/* clang-format off */
static const struct payload_row payload_rows_iot[] = {
PAYLOAD_ROW("iot-realtek-udpserver", UDP, 9034, true,
    "orf;cd /tmp")
PAYLOAD_ROW("iot-realtek-udpserver", UDP, 9034, true,
    "x;/bin/busybox wget")
PAYLOAD_ROW("iot-realtek-udpserver", UDP, 9034, true,
    "cd /tmp; rm -rf a")
PAYLOAD_ROW("iot-realtek-udpserver", UDP, 9034, false,
    "orf:id")
PAYLOAD_ROW("iot-realtek-udpserver", UDP, 9034, false,
    "x orf;")
PAYLOAD_ROW("iot-netis", UDP, 53413, true,
    "\n\000\000\000\000\000\000\000\000\000\000\000\000\000\001\002\003\004")
PAYLOAD_ROW("iot-netis", UDP, 53413, true,
    "\r")
PAYLOAD_ROW("iot-netis", UDP, 53413, false,
    "\n\000\000\000\000\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("iot-netis", UDP, 53413, false,
    "\r\r")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, true,
    "AA\000\000AAAA netcore\000")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, true,
    "AA\000\000AAAA cd /tmp; wget")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, false,
    "AA\000\001AAAA netcore\000")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53414, false,
    "AA\000\000AAAA netcore\000")
PAYLOAD_ROW("iot-ubiquiti-discovery", UDP, 10001, true,
    "\001\000\000\000")
PAYLOAD_ROW("iot-ubiquiti-discovery", UDP, 10001, true,
    "\002\010\000\000")
PAYLOAD_ROW("iot-ubiquiti-discovery", UDP, 10001, false,
    "\001\000\000\000\000")
PAYLOAD_ROW("iot-ubiquiti-discovery", UDP, 10001, false,
    "\003\010\000\000")
PAYLOAD_ROW("iot-netgear-nsdp", UDP, 63322, true,
    "\001\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000NSDP\000\000\000\000\000\001\000\000\377\377\000\000")
PAYLOAD_ROW("iot-netgear-nsdp", UDP, 63322, true,
    "\001\001\000\000\000\032\000\004abcd\377\377\000\000")
PAYLOAD_ROW("iot-netgear-nsdp", UDP, 63322, false,
    "\001\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000NSDP\000\000\000\000")
PAYLOAD_ROW("iot-netgear-nsdp", UDP, 63322, false,
    "\001\001\000\000\000\032\000\004abcd\377\377\000\001")
PAYLOAD_ROW("iot-dahua-discovery", UDP, 37810, true,
    " \000\000\000DHIP\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000{\"method\":\"DHDiscover.search\"")
PAYLOAD_ROW("iot-dahua-discovery", UDP, 37810, true,
    "{\"method\":\"DHDiscover.search\"}")
PAYLOAD_ROW("iot-dahua-discovery", UDP, 37810, false,
    " \000\000\001DHIP\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("iot-dahua-discovery", UDP, 37810, false,
    "{\"method\":\"DHDiscovery\"}")
PAYLOAD_ROW("iot-hikvision-sadp", UDP, 37020, true,
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>1</Uuid><Types>inquiry</Types"
    "></Probe>")
PAYLOAD_ROW("iot-hikvision-sadp", UDP, 37020, false,
    "<?xml version=\"1.0\"?><Prove><Uuid>1</Uuid>")
PAYLOAD_ROW("iot-hikvision-sadp", UDP, 37020, false,
    "<Probe></Probe>")
PAYLOAD_ROW("iot-rxs3211", UDP, 13364, true,
    "\377\377\377\377\377\377\000\006\377\371")
PAYLOAD_ROW("iot-rxs3211", UDP, 13364, false,
    "\377\377\377\377\377\377\000\006\377\370")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "CNXN\001\000\000\001\000\020\000\000\007\000\000\0002\002\000\000\274\261\247\261")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "OPEN\001\000\000\001\000\020\000\000\007\000\000\0002\002\000\000\260\257\272\261syn"
    "c:\000")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, false,
    "CNXM\001\000\000\001\000\020\000\000\007\000\000\0002\002\000\000\274\261\247\261")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, false,
    "OPEN\001\000\000\001\000\020\000\000\007\000\000\0002\002\000\000\260\257\272\260")
PAYLOAD_ROW("iot-tplink-kasa", UDP, 9999, true,
    "\320\362\201\370\213\377\232\367\325")
PAYLOAD_ROW("iot-tplink-kasa", UDP, 9999, false,
    "\320\362\201\370\213\377\232\366\325")
PAYLOAD_ROW("iot-tplink-kasa", TCP, 9999, true,
    "\000\000\000\035\320\362\201\370\213\377\232\367\325")
PAYLOAD_ROW("iot-tplink-kasa", TCP, 9999, false,
    "\000\000\035\320\362\201\370\213\377\232\367\325")
PAYLOAD_ROW("iot-digi-addp", UDP, 2362, true,
    "DIGI\000\001\000\006\377\377\377\377\377\377")
PAYLOAD_ROW("iot-digi-addp", UDP, 2362, false,
    "DIGI\000\002\000\006\377\377\377\377\377\377")
PAYLOAD_ROW("iot-vxworks-wdb", UDP, 17185, true,
    "\032\011\372\272\000\000\000\000\000\000\000\002UUUU\000\000\000\001\000\000\000\001")
PAYLOAD_ROW("iot-vxworks-wdb", UDP, 17185, false,
    "\032\011\372\272\000\000\000\000\000\000\000\002UUUT\000\000\000\001")
PAYLOAD_ROW("iot-ssdp", UDP, 1900, true,
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1"
    "\r\nST: ssdp:all\r\n\r\n")
PAYLOAD_ROW("iot-ssdp", UDP, 1900, true,
    "NOTIFY * HTTP/1.1\r\n")
PAYLOAD_ROW("iot-ssdp", UDP, 1900, false,
    "M-SEARCH / HTTP/1.1\r\n")
PAYLOAD_ROW("iot-ssdp", UDP, 1900, false,
    "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n")
PAYLOAD_ROW("iot-nat-pmp", UDP, 5351, true,
    "\000\000")
PAYLOAD_ROW("iot-nat-pmp", UDP, 5351, true,
    "\000\000\000\000")
PAYLOAD_ROW("iot-nat-pmp", UDP, 5351, true,
    "\002\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000")
PAYLOAD_ROW("iot-nat-pmp", UDP, 5351, false,
    "\000\003")
PAYLOAD_ROW("iot-nat-pmp", UDP, 5351, false,
    "\003\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000")
PAYLOAD_ROW("iot-rtsp", TCP, 554, true,
    "OPTIONS rtsp://192.0.2.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 554, true,
    "OPTIONS / RTSP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 554, false,
    "OPTIONS / HTTP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 554, false,
    "RTSP/1.0 200 OK\r\n")
PAYLOAD_ROW("iot-mqtt", TCP, 1883, true,
    "\020\020\000\004MQTT\004\002\000<\000\004abcd")
PAYLOAD_ROW("iot-mqtt", TCP, 1883, true,
    "\020\020\000\006MQIsdp\003\002")
PAYLOAD_ROW("iot-mqtt", TCP, 1883, false,
    "\020\020\000\004MQTX\004\002")
PAYLOAD_ROW("iot-mqtt", TCP, 1883, false,
    " \020\000\004MQTT\004\002")
PAYLOAD_ROW("iot-coap", UDP, 5683, true,
    "@\001\001\316\273.well-known\004core")
PAYLOAD_ROW("iot-coap", UDP, 5683, true,
    "P\001\000\001")
PAYLOAD_ROW("iot-coap", UDP, 5683, false,
    "\200\001\000\001")
PAYLOAD_ROW("iot-coap", UDP, 5683, false,
    "@E\000\001")
PAYLOAD_ROW("iot-ws-discovery", UDP, 3702, true,
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope")
PAYLOAD_ROW("iot-ws-discovery", UDP, 3702, true,
    "<:/>")
PAYLOAD_ROW("iot-ws-discovery", UDP, 3702, true,
    "<s:Envelope xmlns:s=\"x\">")
PAYLOAD_ROW("iot-ws-discovery", UDP, 3702, false,
    "<html>")
PAYLOAD_ROW("iot-ws-discovery", UDP, 3702, false,
    "< ?xml")
PAYLOAD_ROW("iot-mdns", UDP, 5353, true,
    "\000\000\000\000\000\001\000\000\000\000\000\000\011_services\007_dns-sd\004_udp\005"
    "local\000\000\014\000\001")
PAYLOAD_ROW("iot-mdns", UDP, 5353, false,
    "\000\000\204\000\000\000\000\001\000\000\000\000\010_service\007_dns-sd\004_udp\005l"
    "ocal\000")
PAYLOAD_ROW("iot-snmp", UDP, 161, true,
    "0&\002\001\001\004\006public\241\031")
PAYLOAD_ROW("iot-snmp", UDP, 161, true,
    "0:\002\001\0030\017")
PAYLOAD_ROW("iot-snmp", UDP, 161, false,
    "0&\002\001\002\004\006public")
PAYLOAD_ROW("iot-snmp", UDP, 161, false,
    "1&\002\001\001\004\006public")
PAYLOAD_ROW("iot-sip", UDP, 5060, true,
    "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1\r\n\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, true,
    "REGISTER sip:192.0.2.1 SIP/2.0\r\n\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, false,
    "SIP/2.0 200 OK\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, false,
    "OPTIONS http:100@192.0.2.1 SIP/2.0\r\n")
PAYLOAD_ROW("iot-ike", UDP, 500, true,
    "ABCDEFGH\000\000\000\000\000\000\000\000! \"\010\000\000\000\000\000\000\000\200")
PAYLOAD_ROW("iot-ike", UDP, 500, true,
    "ABCDEFGH\000\000\000\000\000\000\000\000\001\020\002\000\000\000\000\000\000\000\000"
    "\000")
PAYLOAD_ROW("iot-ike", UDP, 500, false,
    "ABCDEFGH\000\000\000\000\000\000\000\001! \"\010\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("iot-ike", UDP, 500, false,
    "ABCDEFGH\000\000\000\000\000\000\000\000!0\"\010")
};
/* clang-format on */

#endif

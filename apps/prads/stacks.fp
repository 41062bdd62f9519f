; Signatures of TCP stacks, in the form of p0f 3: version:ittl:olen:mss:wsize,scale:olayout:quirks:pclass
; (weir-prads(1) explains the fields). Each was measured: of Linux on kernels at hand, of the others in
; public captures whose senders named themselves (user agents, banners); what was seen is said.

[tcp:request]

; ---- Linux: the window is a multiple of MSS since 2.6, the buffer's size chooses the scale

; curl 7.68, python 3.10, Firefox 128; Debian, Ubuntu, Fedora of 2019 and later. Measured on 6.18 by
; tests/stacks.py: as many MSS as 65535 holds, by MTU 1500, 9000, 1492, 1420 and 1280 with either IP
; version. The greatest receive buffer chooses the scale: 7 with 6 MiB, 10 with 32 MiB. IPv6 has a
; flow label.
label = s:unix:Linux:4.19 and newer
sig   = *:64:0:*:mss*44,*:mss,sok,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*7,*:mss,sok,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*47,*:mss,sok,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*48,*:mss,sok,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*52,*:mss,sok,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*53,*:mss,sok,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:64240,*:mss,sok,ts,nop,ws:df,id+,flow:0
; over loopback
sig   = 4:64:0:65495:mss*1,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:65476:mss*1,*:mss,sok,ts,nop,ws:flow:0
; without timestamps, scale or SACK, as sysctls can choose
sig   = *:64:0:*:mss*44,*:mss,nop,nop,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*45,*:mss,nop,nop,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*7,*:mss,nop,nop,ts,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*44,0:mss,sok,ts:df,id+,flow:0
sig   = *:64:0:*:mss*45,0:mss,sok,ts:df,id+,flow:0
sig   = *:64:0:*:mss*7,0:mss,sok,ts:df,id+,flow:0
sig   = *:64:0:*:mss*44,0:mss,nop,nop,ts:df,id+,flow:0
sig   = *:64:0:*:mss*45,0:mss,nop,nop,ts:df,id+,flow:0
sig   = *:64:0:*:mss*7,0:mss,nop,nop,ts:df,id+,flow:0
sig   = *:64:0:*:mss*44,*:mss,nop,nop,sok,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*45,*:mss,nop,nop,sok,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*7,*:mss,nop,nop,sok,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*44,*:mss,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*45,*:mss,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*7,*:mss,nop,ws:df,id+,flow:0
sig   = *:64:0:*:mss*44,0:mss,nop,nop,sok:df,id+,flow:0
sig   = *:64:0:*:mss*45,0:mss,nop,nop,sok:df,id+,flow:0
sig   = *:64:0:*:mss*7,0:mss,nop,nop,sok:df,id+,flow:0
sig   = *:64:0:*:mss*44,0:mss:df,id+,flow:0
sig   = *:64:0:*:mss*45,0:mss:df,id+,flow:0
sig   = *:64:0:*:mss*7,0:mss:df,id+,flow:0

; curl 7.55 and 7.61, Wget 1.15, Firefox 38 on Fedora
label = s:unix:Linux:3.11 to 4.18
sig   = *:64:0:*:mss*20,7:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:65495:43690,7:mss,sok,ts,nop,ws:df,id+:0

; Wget 1.13, OpenSSH 6.0 on Debian 7
label = s:unix:Linux:3.0 to 3.10
sig   = *:64:0:*:mss*10,7:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*10,6:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*10,5:mss,sok,ts,nop,ws:df,id+:0

; Ubuntu 10.04, Kubuntu 6.06
label = s:unix:Linux:2.6
sig   = *:64:0:*:mss*4,7:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*4,6:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*4,5:mss,sok,ts,nop,ws:df,id+:0
sig   = *:64:0:*:mss*4,2:mss,sok,ts,nop,ws:df,id+:0

label = g:unix:Linux:
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws:flow:0

; ---- Windows: no timestamps

; OpenSSH_for_Windows_7.7, WinRM, PowerShell 5.1, Firefox 99
label = s:win:Windows:10 and newer
sig   = *:128:0:*:mss*44,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = *:128:0:*:64240,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = *:128:0:*:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0

; Internet Explorer 7 to 11 on NT 6.0 to 6.2; early Windows 10 does the same
label = s:win:Windows:7 to 10
sig   = *:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig   = *:128:0:*:8192,2:mss,nop,ws,nop,nop,sok:df,id+:0

; Internet Explorer 7, Firefox 3.6 on NT 6.1, without scale
label = s:win:Windows:7
sig   = *:128:0:*:8192,0:mss,nop,nop,sok:df,id+:0

; Firefox 3.5, Mozilla 1.6, Internet Explorer 6 on NT 5.1
label = s:win:Windows:XP
sig   = *:128:0:*:65535,0:mss,nop,nop,sok:df,id+:0
sig   = *:128:0:*:mss*6,0:mss,nop,nop,sok:df,id+:0
sig   = *:128:0:*:mss*44,0:mss,nop,nop,sok:df,id+:0

label = g:win:Windows:
sig   = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df,id+:0

; ---- Apple

; curl 7.64 and 8.7, Wget 1.21, OpenSSH 7.9, Firefox 99 on 10.15
label = s:unix:macOS:10.14 and newer
sig   = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0

; OpenSSH 7.4, Firefox 54 on 10.12, curl 7.45
label = s:unix:macOS:10.9 to 10.13
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0

; Wget on darwin 12.2, curl 7.30
label = s:unix:macOS:10.8
sig   = *:64:0:*:65535,4:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0

; OpenSSH 5.2, Chrome on 10.6
label = s:unix:macOS:10.5 to 10.7
sig   = *:64:0:*:65535,3:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig   = *:64:0:*:65535,2:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0

label = g:unix:macOS:
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig   = *:64:0:*:65535,*:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0

[tcp:response]

; SimpleHTTP of Python 3.12, Werkzeug 3, nginx 1.27; measured on 6.18 as above. With timestamps the
; window is a multiple of what they leave of MSS. To a SYN without an option the answer has none.
label = s:unix:Linux:4.19 and newer
sig   = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*7,*:mss,sok,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*46,*:mss,sok,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*47,*:mss,sok,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*48,*:mss,sok,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*53,*:mss,sok,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*54,*:mss,sok,ts,nop,ws:df,flow:0
sig   = 4:64:0:65495:mss*1,*:mss,sok,ts,nop,ws:df:0
sig   = 6:64:0:65476:mss*1,*:mss,sok,ts,nop,ws:flow:0
sig   = *:64:0:*:mss*45,*:mss,nop,nop,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*7,*:mss,nop,nop,ts,nop,ws:df,flow:0
sig   = *:64:0:*:mss*45,0:mss,sok,ts:df,flow:0
sig   = *:64:0:*:mss*7,0:mss,sok,ts:df,flow:0
sig   = *:64:0:*:mss*45,0:mss,nop,nop,ts:df,flow:0
sig   = *:64:0:*:mss*7,0:mss,nop,nop,ts:df,flow:0
sig   = *:64:0:*:mss*44,*:mss,nop,nop,sok,nop,ws:df,flow:0
sig   = *:64:0:*:mss*45,*:mss,nop,nop,sok,nop,ws:df,flow:0
sig   = *:64:0:*:mss*7,*:mss,nop,nop,sok,nop,ws:df,flow:0
sig   = *:64:0:*:mss*44,*:mss,nop,ws:df,flow:0
sig   = *:64:0:*:mss*45,*:mss,nop,ws:df,flow:0
sig   = *:64:0:*:mss*7,*:mss,nop,ws:df,flow:0
sig   = *:64:0:*:mss*44,0:mss,nop,nop,sok:df,flow:0
sig   = *:64:0:*:mss*45,0:mss,nop,nop,sok:df,flow:0
sig   = *:64:0:*:mss*7,0:mss,nop,nop,sok:df,flow:0
sig   = *:64:0:*:mss*44,0:mss:df,flow:0
sig   = *:64:0:*:mss*45,0:mss:df,flow:0
sig   = *:64:0:*:mss*7,0:mss:df,flow:0

; gunicorn 19, OpenSSH 7.5
label = s:unix:Linux:3.11 to 4.18
sig   = *:64:0:*:mss*20,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*20,*:mss,nop,nop,sok,nop,ws:df:0
sig   = *:64:0:65495:43690,*:mss,sok,ts,nop,ws:df:0

; Apache 2.4.3 on Fedora, OpenSSH 5.8 on Ubuntu
label = s:unix:Linux:3.0 to 3.10
sig   = *:64:0:*:mss*10,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*10,*:mss,nop,nop,sok,nop,ws:df:0

; Apache 2.2.8 and OpenSSH 4.7 on Ubuntu, OpenSSH 3.9
label = s:unix:Linux:2.6
sig   = *:64:0:*:mss*4,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:mss*4,*:mss,nop,nop,sok,nop,ws:df:0

label = g:unix:Linux:
sig   = *:64:0:*:*,*:mss,sok,ts,nop,ws:df:0
sig   = *:64:0:*:*,*:mss,nop,nop,sok,nop,ws:df:0
sig   = 6:64:0:*:*,*:mss,sok,ts,nop,ws:flow:0
sig   = 6:64:0:*:*,*:mss,nop,nop,sok,nop,ws:flow:0

; HTTPAPI 2.0
label = s:win:Windows:10 and newer
sig   = *:128:0:*:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0

; IIS 7.5
label = s:win:Windows:7 to 10
sig   = *:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0

; IIS 6.0
label = s:win:Windows:Server 2003
sig   = *:128:0:*:16384,0:mss,nop,nop,sok::0

; SimpleHTTP of Python 2.7 and Jetty, over loopback
label = s:unix:macOS:10.14 and newer
sig   = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0

label = s:unix:macOS:10.9 to 10.13
sig   = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0

; Apache 2.0.51
label = s:unix:FreeBSD:5
sig   = 6:64:0:*:57344,0:mss,nop,ws,nop,nop,ts:flow:0

; SSH 1.25
label = s:other:Cisco IOS:
sig   = 4:255:0:*:4128,0:mss::0

; nginx, gws, OpenSSH 4.3, MySQL, none a hop away: an answer that a translator of addresses made
label = s:other:VMware NAT:
sig   = 4:128:0:*:mss*44,0:mss::0

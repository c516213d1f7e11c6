// sample_messages.h -- what phones send, for the benchmarks of parsers.
#pragma once
#include <string_view>

namespace kahu::bench {

constexpr std::string_view kInvite =
    "INVITE sip:bob@biloxi.example.com;transport=tls SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 192.0.2.101:5061;branch=z9hG4bK-524287-1---d2c1a6f3b7e8;rport;alias\r\n"
    "Max-Forwards: 70\r\n"
    "Contact: <sip:alice@192.0.2.101:5061;transport=TLS;ob>\r\n"
    "To: \"Bob\" <sip:bob@biloxi.example.com>\r\n"
    "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
    "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
    "CSeq: 2 INVITE\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE\r\n"
    "Content-Type: application/sdp\r\n"
    "Supported: replaces, norefersub, extended-refer, timer, outbound, path, X-cisco-serviceuri\r\n"
    "User-Agent: Example Phone 5.4.11\r\n"
    "Allow-Events: presence, kpml, talk\r\n"
    "Content-Length: 226\r\n"
    "\r\n"
    "v=0\r\no=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n"
    "m=audio 49172 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

constexpr std::string_view kRegister =
    "REGISTER sip:example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bKnashds7;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: Bob <sip:bob@example.com>;tag=7F94778B653B\r\n"
    "To: Bob <sip:bob@example.com>\r\n"
    "Call-ID: 16CB75F21C70\r\n"
    "CSeq: 1 REGISTER\r\n"
    "Supported: path, outbound\r\n"
    "Contact: "
    "<sip:line1@192.0.2.2;transport=tls>;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\r\n"
    "Expires: 3600\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

constexpr std::string_view kOptions =
    "OPTIONS sip:example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK.1\r\n"
    "From: <sip:load@example.com>;tag=1\r\n"
    "To: <sip:example.com>\r\n"
    "Call-ID: 1@127.0.0.1\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

}  // namespace kahu::bench

// tls.cfg(5): the frame of the page; the attributes come from their table.
#include <fmt/format.h>

#include "tls/api.h"
#include "tls/domain_file.h"

namespace kahu::tls {
namespace {

constexpr std::string_view kHead = R"(.\" Written by `kahu --man tls.cfg.5` from the table of attributes; do not edit.
.Dd November 20, 2026
.Dt TLS.CFG 5
.Os Kahu
.Sh NAME
.Nm tls.cfg
.Nd TLS profiles of kahu
.Sh DESCRIPTION
The file that
.Ql modparam("tls", "config", "/etc/kahu/tls.cfg")
names says which certificate and which rules hold for which connections.
It consists of profiles: a line in brackets that says for which connections the profile is, and lines of the form
.Ql name = value .
If a directory is named, its files
.Pa *.cfg
are read in the order of their names.
.Pp
A comment begins with
.Ql #
or
.Ql \&;
at the start of a line or after a blank, and ends with the line.
A value with blanks at its ends or with these characters stands in double or single quotes.
Names of attributes, sides and versions may be written in upper or lower case.
.Pp
File names that begin with
.Ql /
are absolute, those that begin with
.Ql \&.
are relative to the working directory, all others to the directory of the main configuration file.
.Sh PROFILES
.Bl -tag -width Ds
.It Ic [server:default]
Connections that peers open to us, unless another profile fits better.
.It Ic [server:10.0.0.1:5061]
Those that arrive at this address; without the port, at any port of it.
There must be a TLS listener there.
IPv6 addresses are written
.Ql [server:[::1]:5061] .
.It Ic [server:any]
Those that arrive anywhere; needs
.Ic server_name
to be of use.
.It Ic [client:default]
Connections that we open.
.It Ic [client:10.0.0.1:5061]
Those to this address, or from it.
.El
.Pp
.Ql srv ,
.Ql s ,
.Ql cli
and
.Ql c
mean server and client;
.Ql def
and
.Ql *
mean default,
.Ql all
means any.
.Pp
A profile whose
.Ic server_name
matches the name the client asks for (SNI) is preferred; then one of that very address; then
.Ql any ;
then the default.
Of two that fit equally well the later one counts.
What a profile does not say is taken from the default profile of its side.
.Sh ATTRIBUTES
.Bl -tag -width Ds
)";

constexpr std::string_view kTail = R"(.El
.Sh CHECKS
The whole configuration is read and proven at start, by
.Ql kahu -c ,
.Ql kahucmd tls.check
and
.Ql kahucmd tls.reload ,
which all say the same words.
What does not work is refused with file and line or profile, the reason and the usual remedy.
An own certificate that has expired, or expires within 14 days, is used with a warning.
A reload that is refused changes nothing.
.Sh EXAMPLES
.Bd -literal -offset indent
[server:default]
method      = TLSv1.2+
certificate = /etc/letsencrypt/live/sip.example.com/fullchain.pem
private_key = /etc/letsencrypt/live/sip.example.com/privkey.pem

[server:any]
server_name = trunk.example.com
certificate = trunk.pem
verify_client = on
ca_list     = partners.pem

[client:default]
verify_certificate = yes
ca_list     = /etc/ssl/certs/ca-certificates.crt
.Ed
.Sh SEE ALSO
.Xr kahu.cfg 5 ,
.Xr kahu 8 ,
.Xr kahucmd 1
)";

// A line of mdoc must not begin with a control character.
std::string escaped(std::string_view text) {
    std::string out;
    if (!text.empty() && (text.front() == '.' || text.front() == '\'')) out = "\\&";
    for (const char c : text) out += c == '\\' ? std::string("\\e") : std::string(1, c);
    return out;
}

}  // namespace

std::string tls_cfg_manual() {
    std::string page(kHead);
    for (const AttributeInfo& attribute : attributes()) {
        page += fmt::format(".It Ic {} = Ar {}\n", attribute.name, escaped(attribute.valid));
        page += escaped(attribute.help) + '\n';
        if (!attribute.alias.empty()) page += fmt::format("Also written\n.Ic {} .\n", attribute.alias);
    }
    return page.append(kTail);
}

}  // namespace kahu::tls

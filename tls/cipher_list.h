// tls/cipher_list.h -- one colon list of ciphers, as users write it, for TLS 1.2 and 1.3 together.
//
// WHY    OpenSSL has two lists with two grammars, and takes a list with unknown names silently as long as one is known.
// FAILS  No name of the list is known; or the two lists could not be set.  A single unknown name is a warning, so that
//        lists written for another OpenSSL still work.
#pragma once
#include <openssl/ssl.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace kahu::tls {

struct CipherLists {
    std::string tls12;   // OpenSSL cipher string, with keywords, operators and @SECLEVEL
    std::string suites;  // TLS 1.3 suites; empty: OpenSSL's default
};
CipherLists split_ciphers(std::string_view list);

Status use_ciphers(SSL_CTX* context, std::string_view list, std::vector<std::string>* warnings);

}  // namespace kahu::tls

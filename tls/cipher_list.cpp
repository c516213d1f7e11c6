#include "tls/cipher_list.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include "core/base/text.h"
#include "tls/credentials.h"
#include "tls/openssl_error.h"

namespace kahu::tls {
namespace {

bool is_separator(char c) { return c == ':' || c == ',' || c == ' ' || c == ';' || c == '\t'; }

template <class Visit>
void each_entry(std::string_view list, Visit visit) {
    while (!list.empty()) {
        if (is_separator(list.front())) {
            list.remove_prefix(1);
            continue;
        }
        size_t end = 0;
        while (end < list.size() && !is_separator(list[end])) ++end;
        visit(list.substr(0, end));
        list.remove_prefix(end);
    }
}

bool is_suite(std::string_view entry) { return entry.starts_with("TLS_"); }
// Adds nothing to the list by itself.
bool is_operator(std::string_view entry) {
    return entry.front() == '!' || entry.front() == '-' || entry.front() == '@';
}

void append(std::string& list, std::string_view entry) {
    if (!list.empty()) list += ':';
    list += entry;
}

// Whether OpenSSL knows the name at all: at level 0, since the level may come later in the list.
bool is_known(SSL_CTX* scratch, std::string_view entry) {
    if (is_suite(entry)) return SSL_CTX_set_ciphersuites(scratch, std::string(entry).c_str()) == 1;
    const std::string_view name = entry.substr(entry.front() == '+' ? 1 : 0, entry.find('@'));
    return SSL_CTX_set_cipher_list(scratch, fmt::format("{}:@SECLEVEL=0", name).c_str()) == 1;
}

}  // namespace

CipherLists split_ciphers(std::string_view list) {
    CipherLists lists;
    bool selects = false;
    each_entry(list, [&](std::string_view entry) {
        append(is_suite(entry) ? lists.suites : lists.tls12, entry);
        selects |= !is_suite(entry) && !is_operator(entry);
    });
    if (!lists.tls12.empty() && !selects) lists.tls12.insert(0, "DEFAULT:");
    return lists;
}

Status use_ciphers(SSL_CTX* context, std::string_view list, std::vector<std::string>* warnings) {
    if (list.empty()) return {};
    OwnedContext scratch(SSL_CTX_new_ex(library_context(), nullptr, TLS_method()));
    if (!scratch) return Error{Errc::no_memory, take_openssl_error(), ""};
    std::string known, first_unknown;
    int unknown = 0;
    bool selects = false;
    each_entry(list, [&](std::string_view entry) {
        if (!is_operator(entry) && !is_known(scratch.get(), entry)) {
            if (++unknown == 1) first_unknown = text::printable(entry, 60);
            return;
        }
        selects |= !is_operator(entry);
        append(known, entry);
    });
    ERR_clear_error();
    const Error bad{Errc::invalid, fmt::format("cipher_list: no cipher of the name \"{}\"", first_unknown),
                    "`openssl ciphers -v` lists the names"};
    if (unknown > 0 && !selects) return bad;
    if (unknown > 0 && warnings != nullptr)
        warnings->push_back(fmt::format("cipher_list: {}{} unknown to this OpenSSL and left out", first_unknown,
                                        unknown == 1 ? " is" : fmt::format(" and {} more are", unknown - 1)));
    const CipherLists lists = split_ciphers(known);
    if (!lists.tls12.empty() && SSL_CTX_set_cipher_list(context, lists.tls12.c_str()) != 1)
        return Error{Errc::invalid, fmt::format("cipher_list: {}", take_openssl_error()),
                     "`openssl ciphers -v` shows what a list selects"};
    if (!lists.suites.empty() && SSL_CTX_set_ciphersuites(context, lists.suites.c_str()) != 1)
        return Error{Errc::invalid, fmt::format("cipher_list: {}", take_openssl_error()),
                     "`openssl ciphers -v -tls1_3` lists the suites"};
    ERR_clear_error();
    return {};
}

}  // namespace kahu::tls

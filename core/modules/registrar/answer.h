// core/modules/registrar/answer.h -- what a REGISTER is answered.
//
// WHY    One table says which mistake gets which status and which words, as Kamailio's users know them
//        ("P-Registrar-Error").
// LIVES  Process-private text, reused.
#pragma once
#include <string>
#include <string_view>

#include "core/modules/usrloc/api.h"
#include "core/script/run.h"

namespace kahu::registrar {

enum class Fault : uint8_t {
    none,
    memory,
    cseq,
    to_user,
    aor_length,
    aor,
    call_id_missing,
    cseq_missing,
    contacts,
    star_expires,
    star_contacts,
    too_many,
    contact_length,
    call_id_length,
    path,
    path_unsupported,
    outbound_required,
    outbound_refused,
    outbound_edge,
    reg_id,
    interval,
};

// Counts it, logs nothing; `path` is what goes with path_unsupported, `contacts` a Contact line of what is registered.
void reject(script::Run& run, Fault fault, std::string_view path = {}, std::string_view contacts = {});

// "Contact: <sip:...>;q=0.5;expires=30, ..." with CRLF; nothing if there are no contacts.
// `gruu_of`: the AoR's URI, if the phone wants GRUUs; or nullptr.
void append_contacts(const usrloc::Aor& aor, const sip::Uri* gruu_of, std::string& lines);
// 200; `lines` are its headers.
bool accept(script::Run& run, std::string_view lines);

}  // namespace kahu::registrar

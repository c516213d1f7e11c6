#include "core/modules/registrar/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/modules/registrar/counters.h"
#include "core/modules/registrar/gruu.h"
#include "core/modules/registrar/settings.h"
#include "core/script/reply.h"
#include "core/script/transaction_layer.h"
#include "core/sip/quoting.h"

namespace kahu::registrar {
namespace {

using usrloc::Text;

struct Row {
    Fault fault;
    int status;
    std::string_view reason, detail;
};
constexpr std::string_view kBad = "Bad Request", kExtension = "Bad Extension";
constexpr Row kRows[] = {
    {Fault::none, 200, "OK", ""},
    {Fault::memory, 500, "Server Internal Error", "usrloc_contact_insert failed"},
    {Fault::cseq, 400, kBad, "Invalid CSeq number"},
    {Fault::to_user, 400, kBad, "No username in To URI"},
    {Fault::aor_length, 500, "Server Internal Error", "Address Of Record too long"},
    {Fault::aor, 400, kBad, "Error while parsing AOR"},
    {Fault::call_id_missing, 400, kBad, "Call-ID header not found"},
    {Fault::cseq_missing, 400, kBad, "CSeq header not found"},
    {Fault::contacts, 400, kBad, "Contact parse error"},
    {Fault::star_expires, 400, kBad, "* used in contact and expires is not zero"},
    {Fault::star_contacts, 400, kBad, "* used in contact and more than 1 contact"},
    {Fault::too_many, 503, "Service Unavailable", "Too many registered contacts"},
    {Fault::contact_length, 400, kBad, "Contact/received too long"},
    {Fault::call_id_length, 400, kBad, "Callid too long"},
    {Fault::path, 400, kBad, "Path parse error"},
    {Fault::path_unsupported, 420, kExtension, "No support for found Path indicated"},
    {Fault::outbound_required, 421, "Extension Required", "No support for Outbound indicated"},
    {Fault::outbound_refused, 420, kExtension, "No support for Outbound on server"},
    {Fault::outbound_edge, 439, "First Hop Lacks Outbound Support", "No support for Outbound on edge proxy"},
    {Fault::reg_id, 400, kBad, "Invalid Reg-Id number"},
    {Fault::interval, 423, "Interval Too Brief", "Interval too brief"},
};
constexpr bool in_order() {
    for (size_t i = 0; i < std::size(kRows); ++i)
        if (kRows[i].fault != static_cast<Fault>(i)) return false;
    return true;
}
static_assert(in_order(), "one row per Fault, in enum order");

bool answer(script::Run& run, int status, const script::ReplyText& text) {
    if (const auto stateful = script::transaction_layer().reply) {
        const auto answered = stateful(run, status, text);
        if (answered != script::TransactionLayer::Answered::no_transaction)
            return answered == script::TransactionLayer::Answered::sent;
    }
    return script::reply_stateless(run, status, text);
}

std::string g_lines;

}  // namespace

void reject(script::Run& run, Fault fault, std::string_view path, std::string_view contacts) {
    const Row& row = kRows[static_cast<size_t>(fault)];
    count_rejected();
    run.last_error = row.status;
    g_lines = fmt::format("{}P-Registrar-Error: {}\r\n", contacts, row.detail);
    const auto add = [](auto&&... parts) { (g_lines.append(parts), ...).append("\r\n"); };
    if (row.status >= 500 && settings.retry_after > 0) add("Retry-After: ", std::to_string(settings.retry_after));
    if (fault == Fault::interval) add("Min-Expires: ", std::to_string(settings.min_expires));
    if (fault == Fault::path_unsupported) add("Unsupported: path\r\nPath: ", path);
    if (fault == Fault::outbound_refused) add("Unsupported: outbound");
    if (fault == Fault::outbound_required) add("Require: outbound");
    if (fault == Fault::outbound_edge) add("Supported: outbound");
    answer(run, row.status, {.reason = row.reason, .extra_headers = g_lines});
}

void append_contacts(const usrloc::Aor& aor, const sip::Uri* gruu_of, std::string& lines) {
    static std::vector<const usrloc::Contact*> contacts;  // in the order in which they would be called
    contacts.clear();
    for (const usrloc::Contact* c = aor.first(); c != nullptr; c = aor.next(c)) contacts.push_back(c);
    if (contacts.size() > 1)
        std::stable_sort(contacts.begin(), contacts.end(), [](const auto* a, const auto* b) { return a->q > b->q; });
    bool any = false;
    auto out = std::back_inserter(lines);
    for (const usrloc::Contact* c : contacts) {
        lines.append(any ? ", <" : "Contact: <").append(c->text(Text::uri)).append(">");
        any = true;
        if (c->q >= 1000) {
            lines.append(";q=1");
        } else if (c->q >= 0) {
            std::string q = fmt::format(";q=0.{:03}", c->q);
            while (q.back() == '0') q.pop_back();
            if (q.back() == '.') q.pop_back();
            lines.append(q);
        }
        // Contacts without end exist only where an operator made them; the answer needs a number.
        fmt::format_to(out, ";expires={}", c->expires == 0 ? 4294967295 : c->expires - aor.now());
        if (const std::string& name = settings.received_param.get();
            !name.empty() && !c->text(Text::received).empty()) {
            lines.append(";").append(name).append("=");
            sip::append_quoted(c->text(Text::received), lines);
        }
        if (!c->text(Text::instance).empty()) {
            lines.append(";+sip.instance=");
            sip::append_quoted(c->text(Text::instance), lines);
        }
        if (c->reg_id != 0) fmt::format_to(out, ";reg-id={}", c->reg_id);
        if (gruu_of != nullptr) append_gruus(*c, *gruu_of, lines);
    }
    if (any) lines.append("\r\n");
}

bool accept(script::Run& run, std::string_view lines) {
    count_accepted();
    return answer(run, 200, {.reason = "OK", .extra_headers = lines});
}

}  // namespace kahu::registrar

// core/script/header_variables.cpp -- headers by name, and the ones everybody asks for.
#include <fmt/format.h>

#include "core/script/core_variables.h"
#include "core/script/run.h"
#include "core/script/variable.h"
#include "core/sip/header_table.h"
#include "core/sip/params.h"

namespace kahu::script {
namespace {

using Use = VariableUse;
using sip::HeaderField;
using sip::HeaderId;

Status prepare_header(Use& use) {
    if (use.inner.empty() && use.inner_format == nullptr)
        return Error{Errc::invalid, fmt::format("${} needs a header's name", use.name),
                     fmt::format("${}(Via)", use.name)};
    use.number = static_cast<int64_t>(HeaderId::other);
    if (use.inner_format == nullptr) use.number = static_cast<int64_t>(sip::header_id(use.inner));
    return {};
}

const HeaderField* first_field(Run& run, const Use& use) {
    const auto id = static_cast<HeaderId>(use.number);
    return id != HeaderId::other ? run.message().first(id) : run.message().first(use.inner_text(run));
}

size_t count_fields(Run& run, const Use& use) {
    size_t count = 0;
    for (const HeaderField* field = first_field(run, use); field != nullptr; field = run.message().next(field)) ++count;
    return count;
}

// [*]: all values, as one list.
Value joined(Run& run, const HeaderField* field) {
    if (field == nullptr) return Value::none();
    TextBuilder out(run.arena());
    out.append(field->value);
    while ((field = run.message().next(field)) != nullptr) out.append(",").append(field->value);
    return Value::of(out.take());
}

Value header(Run& run, const Use& use) {
    const HeaderField* field = first_field(run, use);
    if (use.index_kind == Use::Index::all) return joined(run, field);
    if (use.index_kind != Use::Index::none && field != nullptr) {
        size_t skip = use.position(run, count_fields(run, use));
        if (skip == Use::npos) return Value::none();
        for (; skip > 0 && field != nullptr; --skip) field = run.message().next(field);
    }
    return field == nullptr ? Value::none() : Value::of(field->value);
}

Value header_count(Run& run, const Use& use) { return Value::of(static_cast<int64_t>(count_fields(run, use))); }

// Of lists such as Via and Route: the elements, however many headers they are spread over.
Value list_element(Run& run, const Use& use) {
    const auto walk = [&](size_t wanted, size_t& count) -> Value {
        count = 0;
        for (const HeaderField* field = first_field(run, use); field; field = run.message().next(field)) {
            sip::ListSplitter list(field->value);
            for (std::string_view element; list.next(element); ++count)
                if (count == wanted) return Value::of(element);
        }
        return Value::none();
    };
    size_t count = 0;
    if (use.index_kind == Use::Index::all) return joined(run, first_field(run, use));
    if (use.index(run).value_or(0) < 0) walk(Use::npos, count);
    else count = Use::npos / 2;
    const size_t at = use.position(run, count);
    return at == Use::npos ? Value::none() : walk(at, count);
}
Value list_count(Run& run, const Use& use) {
    int64_t count = 0;
    for (const HeaderField* field = first_field(run, use); field; field = run.message().next(field)) {
        sip::ListSplitter list(field->value);
        for (std::string_view element; list.next(element);) ++count;
    }
    return Value::of(count);
}

template <HeaderId id>
Value value_of(Run& run, const Use&) {
    const HeaderField* const field = run.message().first(id);
    return field == nullptr ? Value::none() : Value::of(field->value);
}

Value call_id(Run& run, const Use&) {
    const std::string_view id = run.message().call_id();
    return id.empty() ? Value::none() : Value::of(id);
}
Value cseq_number(Run& run, const Use&) {
    const sip::CSeq* const cseq = run.message().cseq();
    return cseq == nullptr ? Value::none() : Value::digits(cseq->number_text);
}
Value content_length(Run& run, const Use&) {
    const auto length = run.message().content_length();
    return length ? Value::of(int64_t{*length}) : Value::none();
}

constexpr Variable kVariables[] = {
    {"hdr", "Value of a header; [n] picks one of several, negative from the end.", header, nullptr, prepare_header},
    {"hdrc", "How many headers of that name there are.", header_count, nullptr, prepare_header},
    {"hfl", "One element of a header that is a list (Via, Route, Contact ...); [n] picks it.", list_element, nullptr,
     prepare_header},
    {"hflc", "How many elements such a list has.", list_count, nullptr, prepare_header},
    {"ci", "Call-ID.", call_id},
    {"cs", "Number in CSeq.", cseq_number},
    {"cl", "Number in Content-Length.", content_length},
    {"ua", "User-Agent.", value_of<HeaderId::user_agent>},
    {"ct", "Contact.", value_of<HeaderId::contact>},
    {"cT", "Content-Type.", value_of<HeaderId::content_type>},
};

}  // namespace

std::span<const Variable> header_variables() { return kVariables; }

}  // namespace kahu::script

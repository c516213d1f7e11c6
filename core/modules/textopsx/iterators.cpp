#include "core/modules/textopsx/iterators.h"

#include <array>
#include <string>

#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/variable.h"

namespace kahu::textopsx {
namespace {

using script::Args;
using script::Run;
using script::Value;
using Use = script::VariableUse;

struct Walk {
    std::string name;                // empty: not in use
    uint64_t run = 0;                // of this message alone,
    const char* bytes_of = nullptr;  // as it stood when the walk began: msg_apply_changes() ends the walk
    const sip::Message* message = nullptr;
    bool begun = false;
    size_t at = 0;     // index of the header; offset of the line in the body
    size_t bytes = 0;  // of the line, with its end

    bool is_of(const Run& current) const {
        return run == current.id() && message == &current.message() && bytes_of == message->bytes().data();
    }
};
using Walks = std::array<Walk, 8>;  // of different names, at a time
Walks g_headers, g_lines;

Walk* find(Walks& walks, const Run& run, std::string_view name) {
    for (Walk& walk : walks)
        if (!name.empty() && walk.name == name && walk.is_of(run)) return &walk;
    return nullptr;
}

template <Walks& walks>
int start(Run& run, const Args& args) {
    const std::string_view name = args.text(run, 0);
    Walk* free_walk = find(walks, run, name);
    for (Walk& walk : walks)
        if (free_walk == nullptr && (walk.name.empty() || !walk.is_of(run))) free_walk = &walk;
    if (name.empty() || free_walk == nullptr) return -1;
    *free_walk = {.name = std::string(name),
                  .run = run.id(),
                  .bytes_of = run.message().bytes().data(),
                  .message = &run.message()};
    return 1;
}
template <Walks& walks>
int end(Run& run, const Args& args) {
    Walk* const walk = find(walks, run, args.text(run, 0));
    if (walk == nullptr) return -1;
    *walk = {};
    return 1;
}

// --- headers ---------------------------------------------------------------------------------------------------
const sip::HeaderField* header_at(const Walk* walk) {
    if (walk == nullptr || !walk->begun) return nullptr;
    const auto headers = walk->message->headers();
    return walk->at < headers.size() ? &headers[walk->at] : nullptr;
}
int next_header(Run& run, const Args& args) {
    Walk* const walk = find(g_headers, run, args.text(run, 0));
    if (walk == nullptr) return -1;
    if (walk->begun && header_at(walk) != nullptr) ++walk->at;
    walk->begun = true;
    return header_at(walk) != nullptr ? 1 : -1;
}
int previous_header(Run& run, const Args& args) {
    Walk* const walk = find(g_headers, run, args.text(run, 0));
    if (walk == nullptr || !walk->begun || walk->at == 0) return -1;
    --walk->at;
    return 1;
}

// --- lines of the body -------------------------------------------------------------------------------------------
std::string_view line_at(const Walk* walk) {
    return walk == nullptr || !walk->begun ? std::string_view() : walk->message->body().substr(walk->at, walk->bytes);
}
int next_line(Run& run, const Args& args) {
    Walk* const walk = find(g_lines, run, args.text(run, 0));
    if (walk == nullptr) return -1;
    walk->begun = true;
    walk->at += walk->bytes;
    const std::string_view rest = walk->message->body().substr(walk->at);
    const size_t line_end = rest.find('\n');
    walk->bytes = line_end == rest.npos ? rest.size() : line_end + 1;
    return walk->bytes != 0 ? 1 : -1;
}

// --- what a walk changes -----------------------------------------------------------------------------------------
// The octets of the message that a walk is at; "" if it is at none.
std::string_view current_header(Run& run, const Args& args) {
    const sip::HeaderField* const field = header_at(find(g_headers, run, args.text(run, 0)));
    return field == nullptr ? std::string_view() : field->whole;
}
std::string_view current_line(Run& run, const Args& args) { return line_at(find(g_lines, run, args.text(run, 0))); }

enum class Change : unsigned char { remove, before, behind };
template <std::string_view (*current)(Run&, const Args&), Change change>
int edit(Run& run, const Args& args) {
    const std::string_view place = current(run, args);
    if (place.empty()) return -1;
    const auto from = static_cast<size_t>(place.data() - run.message().bytes().data());
    if (change == Change::remove) {
        run.edits.remove(from, place.size());
        return 1;
    }
    const std::string_view text = args.text(run, 1);
    if (text.empty()) return -1;
    script::TextBuilder line(run.arena());
    line.append(text).append(text.ends_with('\n') ? "" : "\r\n");
    run.edits.insert(change == Change::before ? from : from + place.size(), line.take());
    return 1;
}

Value header_name(Run& run, const Use& use) {
    const sip::HeaderField* const field = header_at(find(g_headers, run, use.inner_text(run)));
    return field == nullptr ? Value::none() : Value::of(field->name);
}
Value header_body(Run& run, const Use& use) {
    const sip::HeaderField* const field = header_at(find(g_headers, run, use.inner_text(run)));
    return field == nullptr ? Value::none() : Value::of(field->value);
}
Value line_value(Run& run, const Use& use) {
    const std::string_view line = line_at(find(g_lines, run, use.inner_text(run)));
    return line.empty() ? Value::none() : Value::of(line);
}

constexpr std::string_view kWalk = "(string iterator)", kWalkText = "(string iterator, string line)";

constexpr Function kFunctions[] = {
    {"hf_iterator_start", 1, 1, kWalk, "Begins a walk over the headers; hf_iterator_next() goes to the first.",
     kAnyRoute, start<g_headers>},
    {"hf_iterator_next", 1, 1, kWalk,
     "Goes to the next header: $hfitname(iterator), $hfitbody(iterator). False when there are no more.", kAnyRoute,
     next_header},
    {"hf_iterator_prev", 1, 1, kWalk, "Goes back to the header before.", kAnyRoute, previous_header},
    {"hf_iterator_end", 1, 1, kWalk, "Ends the walk.", kAnyRoute, end<g_headers>},
    {"hf_iterator_rm", 1, 1, kWalk, "Removes the header that the walk is at.", kAnyRoute,
     edit<current_header, Change::remove>},
    {"hf_iterator_append", 2, 2, kWalkText, "Adds a header line behind the header that the walk is at.", kAnyRoute,
     edit<current_header, Change::behind>},
    {"hf_iterator_insert", 2, 2, kWalkText, "Adds a header line before it.", kAnyRoute,
     edit<current_header, Change::before>},
    {"bl_iterator_start", 1, 1, kWalk, "Begins a walk over the lines of the body.", kAnyRoute, start<g_lines>},
    {"bl_iterator_next", 1, 1, kWalk, "Goes to the next line: $blitval(iterator), with its line end.", kAnyRoute,
     next_line},
    {"bl_iterator_end", 1, 1, kWalk, "Ends the walk.", kAnyRoute, end<g_lines>},
    {"bl_iterator_rm", 1, 1, kWalk, "Removes the line that the walk is at.", kAnyRoute,
     edit<current_line, Change::remove>},
    {"bl_iterator_append", 2, 2, kWalkText, "Adds a line behind it.", kAnyRoute, edit<current_line, Change::behind>},
    {"bl_iterator_insert", 2, 2, kWalkText, "Adds a line before it.", kAnyRoute, edit<current_line, Change::before>},
};
constexpr Variable kVariables[] = {
    {"hfitname", "$hfitname(iterator): name of the header that the walk is at.", header_name},
    {"hfitbody", "$hfitbody(iterator): its value.", header_body},
    {"blitval", "$blitval(iterator): the line of the body that the walk is at.", line_value},
};

}  // namespace

std::span<const Function> iterator_functions() { return kFunctions; }
std::span<const Variable> iterator_variables() { return kVariables; }

}  // namespace kahu::textopsx

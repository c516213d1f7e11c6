#include "core/modules/textops/body_edits.h"

#include "core/modules/textops/header_edits.h"
#include "core/script/function.h"
#include "core/script/run.h"
#include "core/script/text_parts.h"

namespace kahu::textops {

using script::Run;
using sip::HeaderField;
using sip::HeaderId;

void replace_body(Run& run, std::string_view body) {
    const sip::Message& message = run.message();
    const size_t at = message.head().size();
    run.edits.forget_from(at);
    run.edits.replace(at, message.body().size(), body);
    if (!message.has(HeaderId::content_length) && !run.edits.inserts("content-length:"))
        run.edits.append_header(message, "Content-Length: 0\r\n");
}
void set_content_type(Run& run, std::string_view type) {
    const sip::Message& message = run.message();
    run.edits.forget_line("content-type:");
    if (const HeaderField* const field = message.first(HeaderId::content_type)) {
        run.edits.forget(message.offset_of(field->whole), field->whole.size());  // it may have been removed
        run.edits.replace_part(message, field->value, type);
    } else if (!run.edits.inserts("content-type:")) {  // a second one would make the message malformed
        const std::string_view line =
            script::TextBuilder(run.arena()).append("Content-Type: ").append(type).append("\r\n").take();
        run.edits.append_header(message, line);
    }
}

namespace {

using script::Args;
using script::truth;

bool is_one_line(std::string_view text) { return !text.empty() && text.find_first_of("\r\n") == text.npos; }

int set_body(Run& run, const Args& args) {
    const std::string_view body = args.text(run, 0), type = args.text(run, 1);
    if (!is_one_line(type)) return -1;
    replace_body(run, body);
    set_content_type(run, type);
    return 1;
}
int set_reply_body(Run& run, const Args& args) {
    const std::string_view body = args.text(run, 0), type = args.text(run, 1);
    if (!is_one_line(type)) return -1;
    run.reply_body.assign(body);
    run.reply_body_type.assign(type);
    return 1;
}
Status prepare_type(Args& args) {
    const script::Value* const type = args.constant(args.size() - 1);
    if (type != nullptr && (!type->is_text() || !is_one_line(type->text) || type->text.find('/') == std::string::npos))
        return Error{Errc::invalid, "not a content type", "\"application/sdp\""};
    return {};
}

// --- SDP -------------------------------------------------------------------------------------------------
// RFC 3264 8.4: c=0.0.0.0 (RFC 2543), a=sendonly or a=inactive on an audio stream, or on the session.
int is_audio_on_hold(Run& run, const Args&) {
    std::string_view rest = run.message().body(), line;
    bool session_held = false, in_media = false, is_audio = false, held = false, has_direction = false;
    const auto stream_ends = [&] { return in_media && is_audio && (held || (session_held && !has_direction)); };
    while (script::next_line(rest, line)) {
        if (line.starts_with("m=")) {
            if (stream_ends()) return 1;
            in_media = true, held = has_direction = false;
            is_audio = line.starts_with("m=audio");
        }
        const bool direction =
            line == "a=sendrecv" || line == "a=recvonly" || line == "a=sendonly" || line == "a=inactive";
        const bool null_address = line == "c=IN IP4 0.0.0.0";
        const bool holds = line == "a=sendonly" || line == "a=inactive" || null_address;
        if (in_media) held = held || holds, has_direction = has_direction || direction || line.starts_with("c=");
        else session_held = session_held || holds;
    }
    return truth(stream_ends());
}

constexpr uint16_t kRequests = kRequestRoute | kFailureRoute | kBranchRoute | kEventRoute;

constexpr Function kFunctions[] = {
    {"set_body", 2, 2, "(string body, string type)", "Replaces the body and its content type.", kAnyRoute, set_body,
     prepare_type},
    {"set_reply_body", 2, 2, "(string body, string type)", "Body of the replies this server makes from here on.",
     kRequests, set_reply_body, prepare_type},
    {"is_audio_on_hold", 0, 0, "()", "True if an audio stream of the session description is on hold.", kAnyRoute,
     is_audio_on_hold},
};

}  // namespace

std::span<const Function> body_edits() { return kFunctions; }

}  // namespace kahu::textops

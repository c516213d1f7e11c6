#include "core/script/script_log.h"

#include "core/base/log_rules.h"
#include "core/script/format.h"
#include "core/script/program.h"

namespace kahu::script {
namespace {
ScriptLogSink g_sink = nullptr;
}

void set_script_log_sink(ScriptLogSink sink) { g_sink = sink; }

void log_script_line(Run& run, log::Level level, std::string_view text, int facility) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    const Format* const prefix = run.program == nullptr ? nullptr : run.program->log_prefix();
    if (prefix != nullptr) {
        const std::string_view front = prefix->text(run);
        text = TextBuilder(run.arena()).append(front).append(text).take();
    }
    if (g_sink != nullptr) g_sink(level, text, facility);
    else log::emit_named(level, {}, facility, text);
}

}  // namespace kahu::script

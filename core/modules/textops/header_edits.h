// core/modules/textops/header_edits.h -- functions that add and remove headers of the message that goes on.
#pragma once
#include <span>

#include "core/module/descriptor.h"

namespace kahu::textops {
std::span<const Function> header_edits();  // remove_hf append_hf insert_hf append_urihf append_time ...
std::span<const Function> body_edits();    // set_body set_reply_body is_audio_on_hold
std::span<const Function> multipart_functions();
std::span<const Function> text_edits();  // subst subst_uri subst_user subst_body subst_hf replace ...
}  // namespace kahu::textops

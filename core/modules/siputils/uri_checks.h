// core/modules/siputils/uri_checks.h -- questions about URIs and numbers.
#pragma once
#include "core/script/function.h"
#include "core/script/run.h"

namespace kahu::siputils {

bool is_e164_number(std::string_view text);  // ITU-T E.164: "+", at most 15 digits

int is_uri(script::Run& run, const script::Args& args);
int is_numeric(script::Run& run, const script::Args& args);
int is_alphanum(script::Run& run, const script::Args& args);
int is_alphanumex(script::Run& run, const script::Args& args);
int is_tel_number(script::Run& run, const script::Args& args);
int is_e164(script::Run& run, const script::Args& args);
int is_uri_user_e164(script::Run& run, const script::Args& args);
int uri_param(script::Run& run, const script::Args& args);
int uri_param_any(script::Run& run, const script::Args& args);
int uri_param_rm(script::Run& run, const script::Args& args);
int get_uri_param(script::Run& run, const script::Args& args);
int cmp_uri(script::Run& run, const script::Args& args);
int cmp_aor(script::Run& run, const script::Args& args);
int is_gruu(script::Run& run, const script::Args& args);

}  // namespace kahu::siputils

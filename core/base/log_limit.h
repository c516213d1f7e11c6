// core/base/log_limit.h -- LOG() for what a peer can cause as often as it likes.
#pragma once
#include "core/base/log.h"

// At most so many lines a second; each tells how many were suppressed since the last one.
#define LOG_AT_MOST(per_second_, level_, event_, ...)                                            \
    do {                                                                                         \
        static ::kahu::log::RateLimit limit_here(per_second_);                                   \
        if (::kahu::log::enabled(::kahu::log::Level::level_) && limit_here.allow())              \
            ::kahu::log::emit(::kahu::log::Level::level_, event_,                                \
                              {__VA_ARGS__, ::kahu::kv("suppressed", limit_here.suppressed())}); \
    } while (0)

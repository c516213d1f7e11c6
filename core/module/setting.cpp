#include "core/module/setting.h"

#include <algorithm>
#include <cstring>

namespace kahu {

void IntSetting::share(int64_t* cell_in_segment) {
    *cell_in_segment = get();
    shared_ = cell_in_segment;
}

void TextSetting::share(Cell* cell_in_segment) {
    const std::string now = get();
    shared_ = cell_in_segment;
    shared_->sequence = 0;
    seen_ = 0;
    set(std::string_view(now).substr(0, kTextCapacity));
}

const std::string& TextSetting::get() const {
    if (!shared_) return own_;
    const uint32_t before = __atomic_load_n(&shared_->sequence, __ATOMIC_ACQUIRE);
    if (before == seen_ || (before & 1) != 0) return own_;
    char copy[kTextCapacity];
    const size_t bytes = std::min<size_t>(shared_->bytes, kTextCapacity);
    std::memcpy(copy, shared_->text, bytes);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&shared_->sequence, __ATOMIC_RELAXED) != before) return own_;  // changed meanwhile: next time
    own_.assign(copy, bytes);
    seen_ = before;
    return own_;
}

bool TextSetting::set(std::string_view value) {
    if (!shared_) {
        own_ = value;
        return true;
    }
    if (value.size() > kTextCapacity) return false;
    const uint32_t now = __atomic_load_n(&shared_->sequence, __ATOMIC_RELAXED) | 1;
    __atomic_store_n(&shared_->sequence, now, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    std::memcpy(shared_->text, value.data(), value.size());
    shared_->text[value.size()] = 0;
    shared_->bytes = static_cast<uint32_t>(value.size());
    __atomic_store_n(&shared_->sequence, now + 1, __ATOMIC_RELEASE);
    return true;
}

}  // namespace kahu

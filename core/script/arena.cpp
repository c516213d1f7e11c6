#include "core/script/arena.h"

#include <charconv>
#include <cstring>

namespace kahu::script {

Arena::Arena() { chunks_.push_back({std::make_unique<char[]>(kFirstChunk), kFirstChunk}); }

void Arena::reset() {
    current_ = at_ = used_ = 0;
    exhausted_ = false;
}

// Chunks double, so that a message that needs much asks for memory a few times only, once per process.
bool Arena::grow(size_t bytes) {
    if (bytes > kLimit || used_ + bytes > kLimit) {
        exhausted_ = true;
        return false;
    }
    while (current_ + 1 < chunks_.size()) {
        ++current_, at_ = 0;
        if (chunks_[current_].capacity >= bytes) return true;
    }
    size_t capacity = chunks_.back().capacity * 2;
    while (capacity < bytes) capacity *= 2;
    chunks_.push_back({std::unique_ptr<char[]>(new char[capacity]), capacity});
    current_ = chunks_.size() - 1, at_ = 0;
    return true;
}

char* Arena::allocate(size_t bytes) {
    if (chunks_[current_].capacity - at_ < bytes && !grow(bytes)) return nullptr;
    char* const out = chunks_[current_].bytes.get() + at_;
    at_ += bytes, used_ += bytes;
    return out;
}

std::string_view Arena::copy(std::string_view text) {
    char* const out = allocate(text.size());
    if (out == nullptr) return {};
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
}

std::string_view Arena::decimal(int64_t number) {
    char digits[24];
    const auto [end, ec] = std::to_chars(digits, digits + sizeof digits, number);
    return copy({digits, static_cast<size_t>(end - digits)});
}

TextBuilder::TextBuilder(Arena& arena)
    : arena_(arena),
      from_(arena.chunks_[arena.current_].bytes.get() + arena.at_),
      room_(arena.chunks_[arena.current_].capacity - arena.at_) {}

TextBuilder& TextBuilder::append(std::string_view text) {
    if (failed_ || text.empty()) return *this;
    if (text.size() > room_ - size_) {
        const char* const old = from_;
        // Twice what is needed now: the text so far moves a logarithmic number of times.
        const size_t wanted = (size_ + text.size()) * 2;
        if (!arena_.grow(wanted)) {
            failed_ = true;
            return *this;
        }
        from_ = arena_.chunks_[arena_.current_].bytes.get();
        room_ = arena_.chunks_[arena_.current_].capacity;
        std::memcpy(from_, old, size_);
    }
    std::memcpy(from_ + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
}

TextBuilder& TextBuilder::decimal(int64_t number) {
    char digits[24];
    const auto [end, ec] = std::to_chars(digits, digits + sizeof digits, number);
    return append({digits, static_cast<size_t>(end - digits)});
}

std::string_view TextBuilder::take() {
    if (failed_) return {};
    arena_.at_ += size_, arena_.used_ += size_;
    return {from_, size_};
}

}  // namespace kahu::script

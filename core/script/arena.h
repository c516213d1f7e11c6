// core/script/arena.h -- memory that lives as long as one message.
//
// WHY    Variables, formats and transformations make short texts; none may cost a malloc per message.
// LIVES  Process-private.  reset() forgets everything but keeps the chunks, so that a steady load allocates nothing.
// FAILS  Beyond kLimit bytes per message allocate() returns nullptr and texts come out empty; exhausted() tells.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace kahu::script {

class Arena {
  public:
    static constexpr size_t kFirstChunk = 16 * 1024;
    static constexpr size_t kLimit =
        4 * 1024 * 1024;  // a script that builds more text than this per message is a mistake

    Arena();
    void reset();
    char* allocate(size_t bytes);  // bytes are not aligned: for text only
    std::string_view copy(std::string_view text);
    std::string_view decimal(int64_t number);
    bool exhausted() const { return exhausted_; }
    size_t used() const { return used_; }

  private:
    friend class TextBuilder;
    bool grow(size_t bytes);

    struct Chunk {
        std::unique_ptr<char[]> bytes;
        size_t capacity = 0;
    };
    std::vector<Chunk> chunks_;
    size_t current_ = 0;  // index of the chunk in use
    size_t at_ = 0;       // next free byte of it
    size_t used_ = 0;
    bool exhausted_ = false;
};

// Builds one text at the arena's end.  REQUIRES: nobody else allocates from the arena until take(); evaluate the
// parts first, or use append() of values that are already there.
class TextBuilder {
  public:
    explicit TextBuilder(Arena& arena);
    TextBuilder& append(std::string_view text);
    TextBuilder& append(char c) { return append(std::string_view(&c, 1)); }
    TextBuilder& decimal(int64_t number);
    std::string_view take();  // "" if the arena was exhausted on the way

  private:
    Arena& arena_;
    char* from_;
    size_t size_ = 0;
    size_t room_;
    bool failed_ = false;
};

}  // namespace kahu::script

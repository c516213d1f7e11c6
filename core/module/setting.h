// core/module/setting.h -- a configuration value that all processes see.
//
// WHY    Kamailio's users change parameters while the server runs (cfg.set_now_int); every
//        process must see the new value without being told, and reading one must cost a load.
// LIVES  In the object itself until share() moves the value into a cell of the segment, once,
//        before the first fork.  The objects are static: same address in every process.
// LOCKS  None.  Integers are single aligned words.  Text that may change while running is read
//        under a sequence counter; a writer killed in mid-write leaves an odd counter, and readers
//        then go on with the last text they copied.
// FAILS  set() of text longer than kTextCapacity returns false and changes nothing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kahu {

class IntSetting {
  public:
    constexpr explicit IntSetting(int64_t initial) : own_(initial), initial_(initial) {}
    IntSetting(const IntSetting&) = delete;
    IntSetting& operator=(const IntSetting&) = delete;

    operator int64_t() const { return __atomic_load_n(cell(), __ATOMIC_RELAXED); }
    int64_t get() const { return *this; }
    void set(int64_t value) { __atomic_store_n(own_cell(), value, __ATOMIC_RELAXED); }
    int64_t initial() const { return initial_; }
    void share(int64_t* cell_in_segment);  // copies the value there and uses that from now on
    const int64_t* cell() const { return shared_ ? shared_ : &own_; }

  private:
    int64_t* own_cell() { return shared_ ? shared_ : &own_; }
    int64_t own_;
    int64_t initial_;
    int64_t* shared_ = nullptr;
};

class TextSetting {
  public:
    static constexpr size_t kTextCapacity = 503;
    struct Cell {           // in the segment
        uint32_t sequence;  // odd while being written
        uint32_t bytes;
        char text[kTextCapacity + 1];
    };
    explicit TextSetting(std::string_view initial = {}) : initial_(initial), own_(initial) {}
    TextSetting(const TextSetting&) = delete;
    TextSetting& operator=(const TextSetting&) = delete;

    const std::string& get() const;  // valid until the next get() of this object in this process
    operator std::string_view() const { return get(); }
    bool empty() const { return get().empty(); }
    bool set(std::string_view value);
    const std::string& initial() const { return initial_; }
    void share(Cell* cell_in_segment);  // only for texts that may change while running

  private:
    std::string initial_;
    mutable std::string own_;
    mutable uint32_t seen_ = 0;
    Cell* shared_ = nullptr;
};

}  // namespace kahu

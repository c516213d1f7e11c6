// Runs a fuzz target without libFuzzer: every file of a corpus folder, then a fixed number of mutations of them, the
// same ones on every run and machine.  `make fuzz-replay` links it to each target; it takes a second or two.
//
//     sip_uri_replay test/fuzz/corpus/sip_uri [mutations]
//
// Each input stands in a heap block of exactly its size, so that a sanitizer sees reads past its end.  When the target
// dies, the input is written to ./crash-<target>.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Sanitizers shall end by abort(), so that the handler below runs.  Nobody calls these without a sanitizer.
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

namespace {

constexpr size_t kDefaultMutations = 20000;
constexpr size_t kMaxInput = 1 << 16;
constexpr uint64_t kSeed = 0x6b616875'5349502f;

const uint8_t* current = nullptr;
size_t current_size = 0;
char crash_file[256] = "crash";

void save_input(int signal_number) {
    const int fd = open(crash_file, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0) {
        ssize_t ignored = write(fd, current, current_size);
        ignored += write(STDERR_FILENO, "input saved as ", 15);
        ignored += write(STDERR_FILENO, crash_file, std::strlen(crash_file));
        ignored += write(STDERR_FILENO, "\n", 1);
        (void)ignored;
        close(fd);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

// xorshift64*: small, and the same everywhere, which std:: distributions are not.
class Random {
  public:
    uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545F4914F6CDD1Dull;
    }
    size_t below(size_t n) { return n == 0 ? 0 : static_cast<size_t>((next() >> 16) % n); }

  private:
    uint64_t state_ = kSeed;
};

// Characters that mean something to the parsers.
constexpr std::string_view kInteresting = "\r\n \t:;,<>\"\\=/@[]%?&(){}#!$|'*+-.09azAZ\x7f\xff";

void mutate_once(std::string& text, const std::vector<std::string>& corpus, Random& random) {
    const size_t at = random.below(text.size() + 1);
    const size_t length = random.below(std::min<size_t>(text.size() - at, 64) + 1);
    switch (random.below(7)) {
    case 0:  // flip a bit
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
        break;
    case 1:  // another character
        if (at < text.size()) text[at] = kInteresting[random.below(kInteresting.size())];
        break;
    case 2: text.insert(at, 1, kInteresting[random.below(kInteresting.size())]); break;
    case 3: text.resize(at); break;
    case 4: text.erase(at, length); break;
    case 5: text.insert(random.below(text.size() + 1), text.substr(at, length)); break;
    default: {  // the end of another input
        const std::string& other = corpus[random.below(corpus.size())];
        text.resize(at);
        text.append(other, random.below(other.size() + 1));
        break;
    }
    }
}

void run(const std::string& input) {
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[input.size()]);
    std::copy(input.begin(), input.end(), exact.get());
    current = exact.get();
    current_size = input.size();
    (void)LLVMFuzzerTestOneInput(exact.get(), input.size());
}

std::vector<std::string> read_corpus(const char* folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<std::string> corpus;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return corpus;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || !std::filesystem::is_directory(argv[1])) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS]\n", argv[0]);
        return 2;
    }
    size_t mutations = kDefaultMutations;
    if (argc > 2) std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), mutations);
    const std::string name = std::filesystem::path(argv[1]).filename();
    std::snprintf(crash_file, sizeof crash_file, "crash-%s", name.c_str());
    signal(SIGABRT, save_input);

    const std::vector<std::string> corpus = read_corpus(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "%s: the corpus %s is empty\n", argv[0], argv[1]);
        return 2;
    }
    run({});
    for (const std::string& input : corpus) run(input);
    Random random;
    for (size_t i = 0; i < mutations; ++i) {
        std::string text = corpus[random.below(corpus.size())];
        for (size_t times = 1 + random.below(4); times > 0; --times) mutate_once(text, corpus, random);
        if (text.size() > kMaxInput) text.resize(kMaxInput);
        run(text);
    }
    std::printf("%-20s %zu files, %zu mutations\n", name.c_str(), corpus.size(), mutations);
    return 0;
}

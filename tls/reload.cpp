#include "tls/reload.h"

#include <unistd.h>

#include <set>

#include "tls/generation.h"
#include "tls/loader.h"
#include "tls/settings.h"

namespace kahu::tls {
namespace {

constexpr int kPatience = 50;             // looks at whether the replaced generation is still in use
constexpr unsigned kBetweenLooks = 1000;  // microseconds; a process looks at it for a millisecond or two at most

size_t count_changed(const LoadedConfiguration& loaded) {
    std::set<ContentHash> known;
    if (const CurrentGeneration now; now)
        for (const Profile& profile : now->profiles) known.insert(profile.hash);
    size_t changed = 0;
    for (const Profile& profile : loaded.profiles) changed += known.count(profile.hash) == 0 ? 1 : 0;
    return changed;
}

Result<std::unique_ptr<LoadedConfiguration>> load(LoadReport& report) {
    auto options = load_options(report.warnings);
    if (!options) return std::move(options).error();
    auto loaded = load_configuration(*options);
    if (!loaded) return std::move(loaded).error();
    report.warnings.insert(report.warnings.end(), (*loaded)->warnings.begin(), (*loaded)->warnings.end());
    report.profiles = (*loaded)->profiles.size();
    report.changed = count_changed(**loaded);
    return loaded;
}

}  // namespace

Result<LoadReport> check_configuration() {
    LoadReport report;
    auto loaded = load(report);
    if (!loaded) return std::move(loaded).error();
    return report;
}

Result<LoadReport> load_and_publish() {
    LoadReport report;
    auto loaded = load(report);
    if (!loaded) return std::move(loaded).error();
    if (Status published = publish(**loaded); !published) return std::move(published).error();
    for (int i = 0; i < kPatience && generations_kept() > 1; ++i) {
        usleep(kBetweenLooks);
        recover_generations();
    }
    return report;
}

}  // namespace kahu::tls

#include "rpc/client/vocabulary.h"

#include <algorithm>

#include "core/base/text.h"

namespace kahu::client {
namespace {

constexpr Alias kAliases[] = {
    {"ps", "core.ps"},
    {"psx", "core.psx"},
    {"ls", "system.listMethods"},
    {"list", "system.listMethods"},
    {"help", "system.methodHelp"},
    {"ver", "core.version"},
    {"version", "core.version"},
    {"who", "ctl.who"},
    {"listen", "ctl.listen"},
    {"uptime", "core.uptime"},
    {"dns_mem_info", "dns.mem_info"},
    {"dns_debug", "dns.debug"},
    {"dns_debug_all", "dns.debug_all"},
    {"dst_blocklist_mem_info", "dst_blocklist.mem_info"},
    {"dst_blocklist_debug", "dst_blocklist.debug"},
};

struct Phrase {
    std::string_view first, second, command;
};
constexpr Phrase kPhrases[] = {
    {"user", "add", "auth_db.user_add"},
    {"user", "list", "auth_db.user_list"},
    {"user", "remove", "auth_db.user_remove"},
};

constexpr Alias kFormats[] = {
    // command, format
    {"core.ps", "%v\t%v\n"},
    {"ctl.listen", "[%v] %v: %v %v\n"},
    {"dns.mem_info", "%v / %v\n"},
    {"ctl.who", "[%v] %v: %v %v -> %v %v\n"},
};

}  // namespace

std::string_view full_name(std::string_view word) {
    const auto* found =
        std::find_if(std::begin(kAliases), std::end(kAliases), [&](const Alias& a) { return a.name == word; });
    return found == std::end(kAliases) ? word : found->command;
}
Named named_in(const std::vector<std::string>& line) {
    for (const Phrase& phrase : kPhrases)
        if (line.size() > 1 && line[0] == phrase.first && line[1] == phrase.second) return {phrase.command, 2};
    return {full_name(line[0]), 1};
}
std::string phrases_of(std::string_view word) {
    std::string all;
    for (const Phrase& phrase : kPhrases)
        if (phrase.first == word) all += (all.empty() ? std::string(word) + ' ' : "|") + std::string(phrase.second);
    return all;
}
std::string_view usual_format(std::string_view command) {
    const auto* found =
        std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Alias& a) { return a.name == command; });
    return found == std::end(kFormats) ? std::string_view() : found->command;
}

const std::vector<std::string>& Vocabulary::ask(const std::string& method, const std::string& argument) {
    const auto [at, fresh] = answers_.try_emplace(method + ' ' + argument);
    if (!fresh) return at->second;
    std::vector<RpcCall::Param> params;
    if (!argument.empty()) params.emplace_back(argument);
    const auto answer = connection_.ask(method, params);
    if (!answer) return at->second;
    for (const RpcValue& value : answer->values)
        if (const auto* text = std::get_if<std::string>(&value.data())) at->second.push_back(*text);
    return at->second;
}

// cfg.list says "group: name"; without a group, the groups.
std::vector<std::string> Vocabulary::settings(const std::string& group) {
    std::vector<std::string> words;
    for (const std::string& line : ask("cfg.list")) {
        const size_t colon = line.find(": ");
        if (colon == line.npos) continue;
        if (group.empty()) words.push_back(line.substr(0, colon));
        else if (line.compare(0, colon, group) == 0) words.push_back(line.substr(colon + 2));
    }
    return words;
}

std::vector<std::string> Vocabulary::next_words(const std::vector<std::string>& before) {
    if (before.empty()) {
        std::vector<std::string> words = ask("system.listMethods");
        for (const Alias& alias : kAliases) words.emplace_back(alias.name);
        for (const Phrase& phrase : kPhrases) words.emplace_back(phrase.first);
        return words;
    }
    if (before.size() == 1) {
        std::vector<std::string> words;
        for (const Phrase& phrase : kPhrases)
            if (phrase.first == before[0]) words.emplace_back(phrase.second);
        if (!words.empty()) return words;
    }
    const std::string command(full_name(before[0]));
    if (command == "system.methodHelp" || command == "system.methodSignature")
        return before.size() == 1 ? ask("system.listMethods") : std::vector<std::string>{};
    const std::string group = before.size() == 2 ? before[1] : "";
    if (before.size() > 2) return {};
    if (command.compare(0, 4, "cfg.") == 0) return settings(group);
    if (command.compare(0, 4, "cnt.") == 0) return group.empty() ? ask("cnt.grps_list") : ask("cnt.var_list", group);
    return {};
}

std::string Vocabulary::nearest_command(std::string_view word) {
    const std::vector<std::string> known = next_words({});
    return std::string(text::nearest(word, std::vector<std::string_view>(known.begin(), known.end())));
}

std::string Vocabulary::signature(const std::string& command) {
    const std::vector<std::string>& told = ask("system.methodSignature", command);
    return told.size() == 1 && told[0].starts_with(command) ? told[0] : "";
}

std::vector<std::string> Vocabulary::candidates(const std::vector<std::string>& before, const std::string& unfinished) {
    std::vector<std::string> words = next_words(before);
    std::erase_if(words, [&](const std::string& word) { return word.compare(0, unfinished.size(), unfinished) != 0; });
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    return words;
}

}  // namespace kahu::client

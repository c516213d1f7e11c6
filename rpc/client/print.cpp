#include "rpc/client/print.h"

#include "rpc/argument.h"

namespace kahu::client {
namespace {

// --- kamcmd's lines ----------------------------------------------------------------------------------

// Each piece that kamcmd prints, in order: "pid: 5", "{", "name: {", "}".  `depth` is that of its line.
struct Line {
    int depth;
    std::string text;
};

struct LineWriter {
    std::vector<Line>& out;
    int depth;
    std::string label;  // "name: "

    void operator()(int64_t v) const { out.push_back({depth, label + std::to_string(v)}); }
    void operator()(double v) const { out.push_back({depth, label + rpc::number_text(v)}); }
    void operator()(const std::string& v) const { out.push_back({depth, label + v}); }
    void operator()(const RpcStruct& members) const {
        out.push_back({depth, label + "{"});
        for (const auto& [name, value] : members)
            std::visit(LineWriter{out, depth + 1, name.empty() ? "" : name + ": "}, value.data());
        out.push_back({depth, "}"});
    }
    void operator()(const RpcArray& values) const {
        out.push_back({depth, label + "{"});
        for (const RpcValue& value : values) std::visit(LineWriter{out, depth + 1, ""}, value.data());
        out.push_back({depth, "}"});
    }
};
std::vector<Line> lines_of(const std::vector<RpcValue>& values) {
    std::vector<Line> lines;
    for (const RpcValue& value : values) std::visit(LineWriter{lines, 0, ""}, value.data());
    return lines;
}

}  // namespace

std::string as_plain(const std::vector<RpcValue>& values) {
    std::string out;
    for (const Line& line : lines_of(values))
        out += std::string(static_cast<size_t>(line.depth), '\t') + line.text + "\n";
    return out;
}

std::string as_format(const std::vector<RpcValue>& values, std::string_view format) {
    const std::vector<Line> lines = lines_of(values);
    std::string out;
    size_t next = 0;
    do {
        const size_t before = next;
        for (size_t i = 0; i < format.size(); ++i) {
            const std::string_view rest = format.substr(i);
            if (rest.substr(0, 2) == "%%") {
                out += '%';
                ++i;
            } else if (rest.substr(0, 2) == "%v") {
                if (next < lines.size()) out += lines[next++].text;
                ++i;
            } else {
                out += format[i];
            }
        }
        if (next == before) break;  // no %v in it: once is enough
    } while (next < lines.size());
    return out;
}

}  // namespace kahu::client

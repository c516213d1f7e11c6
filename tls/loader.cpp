#include "tls/loader.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "core/base/text.h"
#include "tls/config_files.h"
#include "tls/context.h"
#include "tls/credentials.h"

namespace kahu::tls {
namespace {

constexpr size_t kMaxTotalBytes = 64 << 20;
constexpr std::string_view kImplicitCertificate = "cert.pem";  // of a server profile that names none, if it exists

class Loader {
  public:
    explicit Loader(const LoadOptions& options) : options_(options), loaded_(std::make_unique<LoadedConfiguration>()) {}

    Result<std::unique_ptr<LoadedConfiguration>> run() {
        for (Status (Loader::*step)() : {&Loader::read_domains, &Loader::complete_domains, &Loader::check_domains,
                                         &Loader::make_profiles, &Loader::prove_profiles})
            if (Status done = (this->*step)(); !done) return std::move(done).error();
        return std::move(loaded_);
    }

  private:
    Status read_domains() {
        std::vector<Domain> domains;
        if (options_.config.empty()) {
            Domain parameters = options_.parameters;
            parameters.side = Side::server;
            parameters.scope = Scope::fallback;
            domains.push_back(parameters);
            if (options_.also_client) domains.push_back(client_of(parameters));
        } else {
            auto files = config_files(resolve_path(options_.config, options_.base_directory));
            if (!files) return std::move(files).error();
            for (const std::string& path : *files) {
                auto text = read_bounded_file(path, kMaxFileBytes);
                if (!text) return std::move(text).error().context("TLS configuration");
                const ParseOptions parsing{options_.allow_obsolete};
                if (Status parsed = parse_domains(*text, path, parsing, domains, loaded_->warnings); !parsed)
                    return parsed;
                OPENSSL_cleanse(text->data(), text->size());  // it may hold passwords
            }
        }
        loaded_->domains.assign(std::make_move_iterator(domains.begin()), std::make_move_iterator(domains.end()));
        return {};
    }

    // The parameters describe both sides; what speaks only of clients stays with the server.
    static Domain client_of(const Domain& parameters) {
        Domain client = parameters;
        client.side = Side::client;
        client.verify_client = VerifyClient::off;
        client.server_name.clear();
        return client;
    }

    const Domain* fallback(Side side) const {
        for (const Domain& domain : loaded_->domains)
            if (domain.side == side && domain.scope == Scope::fallback) return &domain;
        return nullptr;
    }

    Status complete_domains() {
        if (fallback(Side::client) == nullptr) {
            Domain& client = loaded_->domains.emplace_back();
            client.side = Side::client;
            client.where = "built in";
        }
        for (Domain& domain : loaded_->domains)
            if (const Domain* parent = fallback(domain.side); parent != nullptr && parent != &domain)
                inherit(domain, *parent);
        return {};
    }

    Status check_domains() {
        const std::deque<Domain>& domains = loaded_->domains;
        bool has_server = false;
        for (size_t i = 0; i < domains.size(); ++i) {
            has_server |= domains[i].side == Side::server;
            for (size_t j = 0; j < i; ++j)
                if (same_connections(domains[i], domains[j]))
                    return Error{Errc::exists,
                                 fmt::format("{}: {} is defined already at {}", domains[i].where,
                                             profile_name(domains[i].key()), domains[j].where),
                                 domains[i].scope == Scope::fallback ? "there is one default profile for each side"
                                                                     : "give them different server_name"};
            if (Status heard = check_listener(domains[i]); !heard) return heard;
        }
        if (!has_server && !options_.listeners.empty())
            return Error{Errc::not_found, fmt::format("{}: no server profile", options_.config),
                         "add a [server:default] section"};
        return {};
    }

    static bool same_connections(const Domain& a, const Domain& b) {
        if (a.side != b.side || a.scope != b.scope) return false;
        if (a.scope == Scope::fallback) return true;
        return (a.scope == Scope::any || a.address == b.address) && text::iequals(a.server_name, b.server_name) &&
               a.server_name_mode == b.server_name_mode && text::iequals(a.server_id, b.server_id);
    }

    Status check_listener(const Domain& domain) {
        if (domain.side != Side::server || domain.scope != Scope::address || options_.listeners.empty()) return {};
        std::string known;
        for (const SocketAddress& listener : options_.listeners) {
            const bool port = domain.address.port() == 0 || domain.address.port() == listener.port();
            if (port && (listener.same_ip(domain.address) ||
                         (listener.is_wildcard() && listener.family() == domain.address.family())))
                return {};
            known.append(known.empty() ? "" : ", ").append("tls:").append(listener.text());
        }
        return Error{Errc::not_found,
                     fmt::format("{}: no TLS listener for profile {}", domain.where, profile_name(domain.key())),
                     fmt::format("listeners: {}", known)};
    }

    Status make_profiles() {
        for (Domain& domain : loaded_->domains) {
            Profile profile;
            profile.key = domain.key();
            profile.name = own(profile_name(profile.key));
            profile.where = domain.where;
            profile.method = domain.method;
            profile.verify_certificate = domain.verify_certificate;
            profile.require_certificate = domain.require_certificate;
            profile.verify_client = domain.verify_client;
            profile.verify_depth = domain.verify_depth;
            profile.private_key_password = domain.private_key_password;
            profile.private_key_password2 = domain.private_key_password2;
            profile.cipher_list = domain.cipher_list;
            if (Status read = read_files(domain, profile); !read)
                return std::move(read).error().context(fmt::format("{} ({})", profile.name, profile.where));
            profile.hash = hash_of(profile);
            loaded_->profiles.push_back(profile);
        }
        return {};
    }

    Status read_files(Domain& domain, Profile& profile) {
        if (domain.certificate.empty() && domain.side == Side::server) {
            auto implicit = file("certificate", std::string(kImplicitCertificate));
            if (!implicit)
                return Error{Errc::not_found,
                             fmt::format("no certificate is given, and there is no {}", resolve(kImplicitCertificate)),
                             "set certificate and private_key"};
            profile.certificate = *implicit;
        }
        const struct {
            std::string_view name;
            const std::string& path;
            Blob& into;
        } wanted[] = {{"certificate", domain.certificate, profile.certificate},
                      {"private_key", domain.private_key, profile.private_key},
                      {"certificate2", domain.certificate2, profile.certificate2},
                      {"private_key2", domain.private_key2, profile.private_key2},
                      {"ca_list", domain.ca_list, profile.ca_list},
                      {"crl", domain.crl, profile.crl}};
        for (const auto& each : wanted) {
            if (each.path.empty()) continue;
            auto blob = file(each.name, each.path);
            if (!blob) return std::move(blob).error();
            each.into = *blob;
        }
        key_beside_certificate(is_given(domain, "certificate") && !is_given(domain, "private_key"), profile.certificate,
                               profile.private_key);
        key_beside_certificate(is_given(domain, "certificate2") && !is_given(domain, "private_key2"),
                               profile.certificate2, profile.private_key2);
        if (domain.ca_path.empty()) return {};
        if (const auto known = loaded_->files.find(resolve(domain.ca_path)); known != loaded_->files.end()) {
            profile.ca_path = {known->first, known->second};
            return {};
        }
        auto directory = ca_directory(resolve(domain.ca_path));
        if (!directory) return std::move(directory).error().context("ca_path");
        return keep_file(resolve(domain.ca_path), std::move(*directory), profile.ca_path);
    }

    // A certificate file that holds its key needs no private_key; an inherited one would be another's.
    static void key_beside_certificate(bool only_certificate_given, const Blob& certificate, Blob& key) {
        const bool holds_key = certificate.data.find("PRIVATE KEY-----") != std::string_view::npos;
        if (key.path.empty() || (only_certificate_given && holds_key)) key = certificate;
    }

    Result<Blob> file(std::string_view attribute, std::string_view path) {
        const std::string resolved = resolve(path);
        if (const auto known = loaded_->files.find(resolved); known != loaded_->files.end())
            return Blob{known->first, known->second};
        auto content = read_bounded_file(resolved, kMaxMaterialBytes);
        if (!content) return std::move(content).error().context(attribute);
        Blob blob;
        if (Status kept = keep_file(resolved, std::move(*content), blob); !kept) return std::move(kept).error();
        return blob;
    }

    Status keep_file(const std::string& path, std::string content, Blob& blob) {
        total_bytes_ += content.size();
        if (total_bytes_ > kMaxTotalBytes)
            return Error{Errc::invalid, fmt::format("the files are larger than {} MB together", kMaxTotalBytes >> 20),
                         ""};
        const auto at = loaded_->files.emplace(path, std::move(content)).first;
        blob = {at->first, at->second};
        return {};
    }

    // Every profile's context is built once here, with the builder that the workers use.
    Status prove_profiles() {
        for (const Profile& profile : loaded_->profiles) {
            auto context = build_context(profile, &loaded_->warnings);
            if (!context) return std::move(context).error();
            SSL_CTX_free(*context);
        }
        return {};
    }

    static ContentHash hash_of(const Profile& p) {
        std::string all;
        const auto add = [&](std::string_view text) {
            all.append(std::to_string(text.size())).append(":").append(text);
        };
        add(p.name);
        add(fmt::format("{} {} {} {} {}", static_cast<int>(p.method), p.verify_certificate, p.require_certificate,
                        static_cast<int>(p.verify_client), p.verify_depth));
        add(p.cipher_list);
        add(p.private_key_password);
        add(p.private_key_password2);
        for (const Blob* blob :
             {&p.certificate, &p.private_key, &p.certificate2, &p.private_key2, &p.ca_list, &p.ca_path, &p.crl}) {
            add(blob->path);
            add(blob->data);
        }
        ContentHash hash;
        SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), hash.data());
        OPENSSL_cleanse(all.data(), all.size());
        return hash;
    }

    std::string resolve(std::string_view path) const { return resolve_path(path, options_.base_directory); }
    std::string_view own(std::string text) { return loaded_->names.emplace_back(std::move(text)); }

    const LoadOptions& options_;
    std::unique_ptr<LoadedConfiguration> loaded_;
    size_t total_bytes_ = 0;
};

}  // namespace

LoadedConfiguration::~LoadedConfiguration() {
    for (auto& [path, content] : files) OPENSSL_cleanse(content.data(), content.size());
    for (Domain& domain : domains)
        for (std::string Domain::*password : {&Domain::private_key_password, &Domain::private_key_password2})
            OPENSSL_cleanse((domain.*password).data(), (domain.*password).size());
}

Result<std::unique_ptr<LoadedConfiguration>> load_configuration(const LoadOptions& options) {
    return Loader(options).run();
}

}  // namespace kahu::tls

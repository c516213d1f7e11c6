// test/unit/tls/certificate_maker.h -- keys, certificates and CRLs made on the spot, in a directory of their own.
//
// in_child(): what calls OpenSSL runs in a process with a slot of its own, as in the server; what it leaves behind in
// OpenSSL's static data is nobody else's.
#pragma once
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "mem/slot.h"
#include "tls/openssl_ptr.h"
#include "tls/shared_openssl.h"

namespace kahu::tls::test {

inline constexpr int kChildSlot = 40;

template <class Work>
void in_child(Work&& work) {
    fflush(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(120);
        mem::attach_slot(kChildSlot);
        if (const Status entered = enter_openssl_process(); !entered) _exit(3);
        work();
        fflush(nullptr);
        _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status)) << "child died of signal " << WTERMSIG(status);
    ASSERT_EQ(WEXITSTATUS(status), 0) << "see the failures above";
}

class Directory {  // removed with all that is in it
  public:
    Directory() {
        char name[] = "/tmp/kahu-tls-test-XXXXXX";
        path_ = mkdtemp(name);
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + '/' + name; }
    std::string write(const std::string& name, const std::string& content) const {
        std::ofstream(file(name), std::ios::binary) << content;
        return file(name);
    }

  private:
    std::string path_;
};

inline OwnedKey ec_key() { return OwnedKey(EVP_EC_gen("P-256")); }
inline OwnedKey rsa_key(unsigned bits) { return OwnedKey(EVP_RSA_gen(bits)); }

struct Request {
    std::string common_name = "sip.example.com";
    std::string alternative_names = "DNS:sip.example.com";
    long from_days = -1, until_days = 365;
    bool ca = false;
};

inline OwnedCertificate make_certificate(EVP_PKEY* key, const Request& request = {}, X509* issuer = nullptr,
                                         EVP_PKEY* issuer_key = nullptr) {
    static long serial = 0x1000;
    OwnedCertificate x(X509_new());
    X509_set_version(x.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), ++serial);
    X509_time_adj_ex(X509_getm_notBefore(x.get()), static_cast<int>(request.from_days), 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(x.get()), static_cast<int>(request.until_days), 60, nullptr);
    X509_NAME* name = X509_get_subject_name(x.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(request.common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x.get(), issuer != nullptr ? X509_get_subject_name(issuer) : name);
    X509_set_pubkey(x.get(), key);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer != nullptr ? issuer : x.get(), x.get(), nullptr, nullptr, 0);
    const auto extend = [&](int nid, const char* value) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
        X509_add_ext(x.get(), extension, -1);
        X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, request.ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!request.alternative_names.empty()) extend(NID_subject_alt_name, request.alternative_names.c_str());
    X509_sign(x.get(), issuer_key != nullptr ? issuer_key : key, EVP_sha256());
    return x;
}

template <class Write>
std::string pem(Write write) {
    OwnedBio bio(BIO_new(BIO_s_mem()));
    write(bio.get());
    char* data = nullptr;
    const long bytes = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<size_t>(bytes)};
}
inline std::string pem_of(X509* x) {
    return pem([&](BIO* bio) { PEM_write_bio_X509(bio, x); });
}
inline std::string pem_of(EVP_PKEY* key, const char* password = nullptr) {
    return pem([&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, key, password != nullptr ? EVP_aes_256_cbc() : nullptr, nullptr, 0, nullptr,
                                 const_cast<char*>(password));
    });
}
inline std::string crl_of(X509* ca, EVP_PKEY* ca_key, long until_days = 30) {
    OwnedCrl crl(X509_CRL_new());
    X509_CRL_set_version(crl.get(), 1);
    X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(ca));
    ASN1_TIME* when = X509_time_adj_ex(nullptr, -60, 0, nullptr);
    X509_CRL_set1_lastUpdate(crl.get(), when);
    X509_time_adj_ex(when, static_cast<int>(until_days), 0, nullptr);
    X509_CRL_set1_nextUpdate(crl.get(), when);
    ASN1_TIME_free(when);
    X509_CRL_sign(crl.get(), ca_key, EVP_sha256());
    return pem([&](BIO* bio) { PEM_write_bio_X509_CRL(bio, crl.get()); });
}

}  // namespace kahu::tls::test

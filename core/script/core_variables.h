// core/script/core_variables.h -- the variables that need no module, by the file they are in.
#pragma once
#include <functional>
#include <span>

#include "core/module/descriptor.h"
#include "core/script/value.h"

namespace kahu::script {

std::span<const Variable> start_line_variables();  // $rm $ru $rU ... $rs $rr $mt $ml $mb $rb
std::span<const Variable> party_variables();       // $fu $fU $fd $ft $tu ... $du $dd
std::span<const Variable> address_variables();     // $si $sp $Ri $Rp $proto $af $conid
std::span<const Variable> header_variables();      // $hdr() $hdrc() $ci $cs $ua $cl $ct
std::span<const Variable> identity_variables();    // $ai $pu $pU $pd $pn $re $rt $di
std::span<const Variable> branch_variables();      // $branch() $br $ds $bf $sf $fs
std::span<const Variable> xavp_variables();        // $xavp() $xavu() $xavi()
std::span<const Variable> sending_variables();     // $snd() $sndto() $sndfrom()
std::span<const Variable> text_variables();        // $_s() $def() $cfg()
std::span<const Variable> script_variables();      // $var() $avp() $null $rc $retcode $mf

// $var(name) as it is at first, in every process.  Before the script is compiled.
void set_script_variable(std::string_view name, const Value& value);
// Each $var() that the script uses, with its value.
void visit_script_variables(const std::function<void(std::string_view name, const Value& value)>& visit);
// Nothing if the script uses no such $var().
void assign_script_variable(std::string_view name, const Value& value);
// Forgets all values of $var (tests).
void clear_script_variables();

}  // namespace kahu::script

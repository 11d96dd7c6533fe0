# C simulation, synthesis, co-simulation and export of the phi unit in Vitis HLS 2023.1 or newer:
#
#     python -m sim.phi_hls out/hls/vectors
#     vitis_hls -f hdl/phi_unit/hls/run_hls.tcl                  (from 2024.2 on: vitis-run --mode hls --tcl hdl/phi_unit/hls/run_hls.tcl)
#
# Both from the root of the repository. The project and the exported IP come to lie in out/hls; variables of the environment change that.

proc setting {name default} {
    global env
    if {[info exists env($name)]} { return $env($name) }
    return $default
}

set here [file dirname [file normalize [info script]]]
set out [file normalize [setting PHI_HLS_OUT [file join $here .. .. .. out hls]]]
set vectors [file normalize [setting PHI_HLS_VECTORS [file join $out vectors]]]
set part [setting PHI_HLS_PART xck26-sfvc784-2LV-c]
set period_ns [setting PHI_HLS_PERIOD_NS 4]

proc arguments {name} {
    global vectors out
    foreach file [list $name.jobs $name.expected] {
        if {![file isfile [file join $vectors $file]]} {
            error "there is no $file in $vectors; make it: python -m sim.phi_hls $vectors"
        }
    }
    return "[file join $vectors $name.jobs] [file join $out $name.answers] [file join $vectors $name.expected]"
}

set csim_arguments [arguments csim]
set cosim_arguments [arguments cosim]
file mkdir $out
cd $out

open_project -reset phi_unit_hls
set_top phi_unit
add_files [file join $here phi_unit.cpp]
add_files -tb [file join $here testbench.cpp] -cflags "-I$here"
open_solution -reset -flow_target vivado solution
set_part $part
create_clock -period $period_ns -name default

csim_design -argv $csim_arguments
csynth_design
cosim_design -rtl verilog -argv $cosim_arguments
export_design -format ip_catalog -display_name "Phi unit (HLS)" -vendor ebmhw -library hls -version 1.0 -output [file join $out phi_unit_hls.zip]
exit

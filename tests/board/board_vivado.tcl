# Stands in for Vivado under tclsh: `tclsh board_vivado.tcl -mode batch ... -source SCRIPT -tclargs ARGUMENTS`.
#
# Every command of Vivado that a script calls is written to STUB_LOG, one JSON list a line, and answered so that scripts go on. A command, an
# option, a property or a property's value that Vivado does not have (UG835, UG1118 for ipx, board_vivado_properties.tcl) is an error, as there.
# STUB_FAULT names what goes wrong; files that Vivado would write are copies of those named by STUB_BIT, STUB_XSA, STUB_TIMING and
# STUB_UTILISATION, or, the .hwh, made from what was packaged.

source [file join [file dirname [file normalize [info script]]] board_vivado_properties.tcl]

namespace eval stub {
    # Options of each command: with a value those that end in =.
    variable commands {
        create_project {-part= -force} current_project {-quiet} close_project {-quiet} set_param {} get_param {}
        add_files {-norecurse -fileset=} get_files {-quiet} current_fileset {-quiet} update_compile_order {-fileset=} update_ip_catalog {}
        set_property {-dict} get_property {-quiet}
        get_board_parts {-quiet -latest_file_version} get_boards {-quiet} xhub::get_xstores {-quiet}
        ipx::package_project {-root_dir= -vendor= -library= -taxonomy= -import_files -force} ipx::current_core {}
        ipx::infer_bus_interfaces {} ipx::infer_bus_interface {} ipx::get_bus_interfaces {-quiet -of_objects=}
        ipx::get_bus_parameters {-quiet -of_objects=} ipx::add_bus_parameter {}
        ipx::get_memory_maps {-quiet -of_objects=} ipx::add_memory_map {} ipx::get_address_blocks {-quiet -of_objects=}
        ipx::remove_address_block {} ipx::add_address_block {} ipx::add_register {} ipx::add_field {}
        ipx::create_xgui_files {} ipx::update_checksums {} ipx::check_integrity {} ipx::save_core {}
        create_bd_design {} current_bd_design {} get_ipdefs {-quiet -all} create_bd_cell {-type= -vlnv=} apply_bd_automation {-rule= -config=}
        get_bd_cells {} get_bd_pins {} get_bd_intf_pins {} connect_bd_net {} connect_bd_intf_net {}
        get_bd_addr_spaces {} get_bd_addr_segs {-quiet} assign_bd_address {-offset= -range= -target_address_space= -force}
        exclude_bd_addr_seg {-target_address_space=} validate_bd_design {} save_bd_design {}
        make_wrapper {-files= -top} generate_target {} get_runs {} launch_runs {-to_step= -jobs=} wait_on_run {} open_run {} close_design {}
        report_timing_summary {-delay_type= -max_paths= -file=} report_utilization {-hierarchical -file=} report_drc {-file=}
        report_methodology {-file=} get_timing_paths {-setup -hold -max_paths= -nworst=} write_hw_platform {-fixed -include_bit -force -file=}
    }
    variable properties [dict create]
    variable core ""
    variable interfaces [dict create]
    variable project ""
    variable project_folder ""
    variable steps [dict create]
    variable units {}
    variable registers [dict create]
    variable blocks [dict create]
    variable addresses {}
    variable cells {}
    variable log [open $env(STUB_LOG) a]
    variable fault [expr {[info exists env(STUB_FAULT)] ? $env(STUB_FAULT) : ""}]
}

proc stub::json {text} {
    return "\"[string map [list \\ \\\\ \" \\\" \n \\n \t \\t \r \\r] $text]\""
}

proc stub::xml {text} {
    return [string map {& &amp; < &lt; > &gt; \" &quot;} $text]
}

proc unknown {name args} {
    set name [string trimleft $name :]
    if {![dict exists $stub::commands $name]} {
        error "invalid command name \"$name\""
    }
    set line {}
    foreach word [linsert $args 0 $name] { lappend line [stub::json $word] }
    puts $stub::log "\[[join $line {, }]\]"
    flush $stub::log
    set allowed [dict get $stub::commands $name]
    set options [dict create]
    set plain {}
    while {[llength $args]} {
        set args [lassign $args word]
        if {[string match {-[a-z]*} $word]} {
            if {"$word=" in $allowed} {
                set args [lassign $args value]
                dict set options $word $value
            } elseif {$word in $allowed} {
                dict set options $word 1
            } else {
                error "ERROR: \[Common 17-170\] Unknown option '$word' of $name"
            }
        } else {
            lappend plain $word
        }
    }
    if {$stub::fault eq "command:$name"} {
        puts "ERROR: \[Stub 1-1\] $name went wrong"
        error "ERROR: \[Stub 1-1\] $name went wrong"
    }
    set does ::stub::do_[string map {:: _} $name]
    if {[info commands $does] ne ""} {
        return [$does $options $plain]
    }
    return [lindex $plain end]
}

proc stub::on {name body} {
    proc ::stub::do_[string map {:: _} $name] {options plain} "variable fault; variable properties; $body"
}

proc stub::copy {variable target} {
    file mkdir [file dirname $target]
    file copy -force $::env($variable) $target
}

stub::on set_property {
    if {[dict exists $options -dict]} {
        lassign $plain pairs object
    } else {
        lassign $plain name value object
        set pairs [list $name $value]
    }
    if {$object eq ""} { error "ERROR: \[Common 17-55\] 'set_property' expects at least one object" }
    foreach {name value} $pairs {
        if {$name eq "board_connections" && $fault eq "old-carrier" && ![string match *:1.3 $value]} { error "ERROR: \[Board 49-71\] no such connection" }
        if {$name eq "board_connections" && $fault eq "no-carrier"} { error "ERROR: \[Board 49-71\] no such connection" }
        stub::check_property $object $name $value
        dict set properties $object [string tolower $name] $value
    }
}
stub::on get_property {
    lassign $plain name object
    set name [string tolower $name]
    switch -- $name {
        part_name { return [expr {$fault eq "wrong-part" ? "xck24-ubva530-2LV-c" : "xck26-sfvc784-2LV-c"}] }
        local_root_dir { return /store }
        name { return [lindex [split $object /:] end] }
        directory { return [file join $::stub::project_folder $::stub::project.runs [lindex [split $object :] end]] }
        status { return [dict get $::stub::steps $object] }
        slack {
            if {$fault eq "timing" || ($fault eq "hold" && [string match hold* $object])} { return -0.213 }
            return 0.104
        }
        config.psu__crl_apb__pl0_ref_ctrl__act_freqmhz {
            set asked [dict get $properties $object config.psu__crl_apb__pl0_ref_ctrl__freqmhz]
            set pll [dict get {IOPLL 999.99 RPLL 1499.985 DPLL 1066.656} [dict get $properties $object config.psu__crl_apb__pl0_ref_ctrl__srcsel]]
            if {$fault eq "slow-plls"} { set pll 700.0 }
            return [expr {$pll / ceil($pll / $asked - 0.001)}]
        }
    }
    return [dict get $properties $object $name]
}
stub::on create_project {
    set ::stub::project [lindex $plain 0]
    set ::stub::project_folder [lindex $plain 1]
    set ::stub::steps [dict create]
    file mkdir $::stub::project_folder
    return $::stub::project
}
stub::on current_project { return project:$::stub::project }
stub::on current_fileset { return sources_1 }
stub::on add_files {
    foreach file [lindex $plain 0] {
        if {![file isfile $file]} { error "ERROR: \[Vivado 12-172\] File or Directory '$file' does not exist" }
    }
}
stub::on get_board_parts {
    if {$fault eq "no-board" || ($fault eq "board-in-store" && ![dict exists $properties param])} { return "" }
    return [string map {* 1.4} [lindex $plain 0]]
}
stub::on set_param { dict set properties param [lindex $plain 0] [lindex $plain 1] }
stub::on xhub::get_xstores { return store }
stub::on get_boards { return {xilinx.com:kv260_carrier:1.3 xilinx.com:kv260_carrier:1.2} }

stub::on ipx::package_project {
    set ::stub::core ip[llength $::stub::units]
    lappend ::stub::units $::stub::core
    # What Vivado infers of itself: interfaces of buses, a map with a block of its own.
    dict set ::stub::interfaces $::stub::core [expr {$fault eq "infers-nothing" ? {} : {s_axi s_axis m_axis clk}}]
    dict set ::stub::blocks $::stub::core/s_axi [list $::stub::core/s_axi/reg0]
    dict set properties $::stub::core root [dict get $options -root_dir]
    return $::stub::core
}
stub::on ipx::current_core { return $::stub::core }
# All interfaces of the kind, those that are there once more.
stub::on ipx::infer_bus_interfaces {
    lassign $plain kind core
    foreach bus [expr {[string match *:aximm_rtl:* $kind] ? {s_axi} : {s_axis m_axis}}] {
        dict lappend ::stub::interfaces $core [expr {$bus in [dict get $::stub::interfaces $core] ? "${bus}_1" : $bus}]
    }
}
stub::on ipx::infer_bus_interface { dict lappend ::stub::interfaces [lindex $plain 2] [lindex $plain 0] }
stub::on ipx::get_bus_interfaces {
    set core [dict get $options -of_objects]
    if {$fault eq "no-stream" && [lindex $plain 0] eq "m_axis"} { return "" }
    return [expr {[lindex $plain 0] in [dict get $::stub::interfaces $core] ? "$core/[lindex $plain 0]" : ""}]
}
stub::on ipx::get_bus_parameters {
    set name "[dict get $options -of_objects]/[lindex $plain 0]"
    return [expr {[dict exists $properties $name] ? $name : ""}]
}
stub::on ipx::add_bus_parameter {
    set name "[lindex $plain 1]/[lindex $plain 0]"
    dict set properties $name made 1
    return $name
}
stub::on ipx::get_memory_maps { return [dict get $options -of_objects]/[lindex $plain 0] }
stub::on ipx::get_address_blocks { return [dict get $::stub::blocks [dict get $options -of_objects]] }
stub::on ipx::remove_address_block {
    lassign $plain name map
    set all [dict get $::stub::blocks $map]
    dict set ::stub::blocks $map [lsearch -all -inline -not -exact $all $map/$name]
}
stub::on ipx::add_address_block {
    lassign $plain name map
    dict lappend ::stub::blocks $map $map/$name
    return $map/$name
}
stub::on ipx::add_register {
    lassign $plain name block
    dict lappend ::stub::registers $block $block/$name
    return $block/$name
}
stub::on ipx::add_field {
    lassign $plain name register
    dict lappend ::stub::registers $register $register/$name
    return $register/$name
}

stub::on get_ipdefs {
    if {$fault eq "no-xlconcat" && [string match *xlconcat* [lindex $plain 0]]} { return "" }
    return [lindex $plain 0]
}
stub::on create_bd_cell {
    lappend ::stub::cells [lindex $plain 0] [dict get $options -vlnv]
    return [lindex $plain 0]
}
stub::on get_bd_addr_segs { return [expr {[string match *PCIE_HIGH* [lindex $plain 0]] ? "" : [lindex $plain 0]}] }
stub::on assign_bd_address {
    lappend ::stub::addresses [lindex [split [lindex $plain 0] /] 0] [dict get $options -offset] [dict get $options -range] [lindex $plain 0]
}
stub::on get_files { return [lindex $plain 0] }
stub::on make_wrapper {
    set wrapper [file join $::stub::project_folder $::stub::project.gen ${::stub::project}_wrapper.v]
    file mkdir [file dirname $wrapper]
    close [open $wrapper w]
    return $wrapper
}
stub::on generate_target {
    if {$fault ne "no-hwh"} { stub::write_hwh }
}
stub::on get_runs {
    if {[llength $plain]} { return run:[lindex $plain 0] }
    return [dict keys $::stub::steps]
}
stub::on launch_runs {
    set run run:[lindex $plain 0]
    set last [expr {[dict exists $options -to_step] ? [dict get $options -to_step] : "synth_design"}]
    set folder [file join $::stub::project_folder $::stub::project.runs [lindex $plain 0]]
    file mkdir $folder
    # What Vivado calls the step in a run's status.
    set shown [string map {post_route_phys_opt_design {phys_opt_design (Post-Route)}} $last]
    dict set ::stub::steps $run "$shown Complete!"
    if {$fault eq "hang" && $last eq "synth_design"} {
        set out [open $::env(STUB_LOG).pid w]
        puts $out [exec sleep 120 &]
        close $out
        after 120000
    }
    if {$fault in {synth licence} && $last eq "synth_design"} {
        set log [open [file join $folder runme.log] w]
        if {$fault eq "synth"} {
            puts $log "ERROR: \[Synth 8-439\] module 'nowhere' not found"
            puts "CRITICAL WARNING: \[Synth 8-9339\] a warning to be told"
        } else {
            puts $log "ERROR: \[Common 17-345\] A valid license was not found for feature 'Synthesis' and/or device 'xck26'."
        }
        close $log
        dict set ::stub::steps $run "synth_design ERROR"
    }
    if {$fault eq "ip-run" && $last eq "synth_design"} {
        dict set ::stub::steps run:ebmhw_phi_unit_0_synth_1 "synth_design ERROR"
        dict set ::stub::steps $run "Not started"
    }
    if {$fault eq "vanished" && $last eq "synth_design"} { dict set ::stub::steps $run "Running synth_design..." }
    if {$fault eq "route" && $last eq "post_route_phys_opt_design"} { dict set ::stub::steps $run "route_design ERROR" }
    if {$fault eq "timing" && $last eq "post_route_phys_opt_design"} { dict set ::stub::steps $run "$shown Complete, Failed Timing!" }
    if {$last eq "write_bitstream" && $fault ne "no-bit"} { stub::copy STUB_BIT [file join $folder ${::stub::project}_wrapper.bit] }
    if {$last eq "write_bitstream" && $fault eq "bitstream"} { dict set ::stub::steps $run "write_bitstream ERROR" }
}
# Of a run that failed 2024.2 makes an error; a fault in route_design stands for 2022.2, which warns.
stub::on wait_on_run {
    set run run:[lindex $plain 0]
    if {$fault eq "route" || [string match *Complete* [dict get $::stub::steps $run]]} { return }
    puts "ERROR: \[Vivado 12-13638\] Failed runs(s) : '[lindex $plain 0]'"
    error "ERROR: \[Common 17-39\] 'wait_on_runs' failed due to earlier errors."
}
stub::on get_timing_paths {
    if {$fault eq "unconstrained"} { return "" }
    return [string trimleft [lindex [dict keys $options] 0] -]:path
}
stub::on report_timing_summary {
    if {$fault ne "no-timing-report"} { stub::copy STUB_TIMING [dict get $options -file] }
}
stub::on report_utilization {
    if {[dict exists $options -hierarchical]} { return }
    if {$fault ne "no-utilisation-report"} { stub::copy STUB_UTILISATION [dict get $options -file] }
}
stub::on write_hw_platform {
    if {$fault ne "no-xsa"} { stub::copy STUB_XSA [dict get $options -file] }
}

proc stub::write_hwh {} {
    variable properties
    variable fault
    set path [file join $::stub::project_folder $::stub::project.gen sources_1 bd $::stub::project hw_handoff $::stub::project.hwh]
    file mkdir [file dirname $path]
    set out [open $path w]
    puts $out {<?xml version="1.0" encoding="UTF-8" standalone="no" ?>}
    puts $out {<EDKSYSTEM EDWVERSION="1.2" TIMESTAMP="Mon Jan  6 12:00:00 2025" VIVADOVERSION="2023.2"><MODULES>}
    foreach {cell vlnv} $::stub::cells {
        # The newest version is taken where none is asked for.
        if {[llength [split $vlnv :]] == 3} { append vlnv :3.5 }
        puts $out "<MODULE FULLNAME=\"/$cell\" INSTANCE=\"$cell\" MODTYPE=\"[lindex [split $vlnv :] 2]\" VLNV=\"$vlnv\">"
        puts $out "<ADDRESSBLOCKS>"
        foreach core $::stub::units {
            if {[dict get $properties $core name] ne $cell} { continue }
            foreach block [dict get $::stub::blocks $core/s_axi] { stub::write_block $out $block }
        }
        puts $out "</ADDRESSBLOCKS><PARAMETERS>"
        if {[dict exists $properties $cell]} {
            dict for {name value} [dict get $properties $cell] {
                set name [string map {config. {}} $name]
                if {[string match psu__* $name]} { set name [string toupper $name] }
                puts $out "<PARAMETER NAME=\"$name\" VALUE=\"[stub::xml $value]\"/>"
            }
        }
        puts $out "</PARAMETERS>"
        if {[string match *:zynq_ultra_ps_e:* $vlnv]} { stub::write_memory_map $out }
        puts $out "</MODULE>"
    }
    puts $out "</MODULES></EDKSYSTEM>"
    close $out
}

proc stub::write_memory_map {out} {
    variable fault
    puts $out "<MEMORYMAP>"
    foreach {cell offset range segment} $::stub::addresses {
        if {![string match */Reg $segment]} { continue }
        if {$fault eq "moved" && $cell eq "phi_unit"} { set offset 0xA0050000 }
        lassign [split $segment /] - bus block
        puts $out [format {<MEMRANGE ADDRESSBLOCK="%s" BASEVALUE="0x%08X" HIGHVALUE="0x%08X" INSTANCE="%s" MEMTYPE="REGISTER" SLAVEBUSINTERFACE="%s"/>} \
            $block $offset [expr {$offset + $range - 1}] $cell $bus]
    }
    puts $out "</MEMORYMAP>"
}

proc stub::write_block {out block} {
    variable properties
    variable fault
    set usage [dict get $properties $block usage]
    puts $out "<ADDRESSBLOCK ACCESS=\"read-write\" INTERFACE=\"s_axi\" NAME=\"[file tail $block]\" RANGE=\"65536\" USAGE=\"$usage\"><REGISTERS>"
    foreach register [dict get $::stub::registers $block] {
        set name [file tail $register]
        if {$fault eq "lost-register" && $name eq "jobs_done"} { continue }
        puts $out "<REGISTER NAME=\"$name\">"
        foreach {property label} {description DESCRIPTION address_offset ADDRESS_OFFSET size SIZE access ACCESS reset_value RESET_VALUE} {
            puts $out "<PROPERTY NAME=\"$label\" VALUE=\"[stub::xml [dict get $properties $register $property]]\"/>"
        }
        puts $out "<PROPERTY NAME=\"IS_ENABLED\" VALUE=\"true\"/><FIELDS>"
        foreach field [dict get $::stub::registers $register] {
            puts $out "<FIELD NAME=\"[file tail $field]\">"
            foreach {property label} {description DESCRIPTION access ACCESS bit_offset BIT_OFFSET bit_width BIT_WIDTH} {
                puts $out "<PROPERTY NAME=\"$label\" VALUE=\"[stub::xml [dict get $properties $field $property]]\"/>"
            }
            puts $out "</FIELD>"
        }
        puts $out "</FIELDS></REGISTER>"
    }
    puts $out "</REGISTERS></ADDRESSBLOCK>"
}

# Vivado's command line.
set stub_arguments $argv
set stub_source [lindex $stub_arguments [expr {[lsearch $stub_arguments -source] + 1}]]
set argv [lrange $stub_arguments [expr {[lsearch $stub_arguments -tclargs] + 1}] end]
set argc [llength $argv]
if {$stub::fault eq "crash"} {
    puts "ERROR: \[Common 17-39\] abnormal program termination (11)"
    exit 139
}
source $stub_source

# From the RTL to a bitstream: vivado -mode batch -source build.tcl -tclargs SETTINGS (boards/kv260/bitstream.py writes them and runs this).
#
# Ends with status 0, 3 where timing is not met, 1 after any other failure. Lines for the caller begin with EBMHW. Tcl 8.5, as Vivado has it.

set here [file dirname [file normalize [info script]]]
source [file join $here package_ip.tcl]
source [file join $here block_design.tcl]

namespace eval ebmhw {
    # Versions of the carrier's board files that are tried where Vivado does not tell which it has.
    variable carrier_versions {2.0 1.4 1.3 1.2 1.1 1.0}
    variable met {All user specified timing constraints are met.}
}

proc ebmhw::step {name} {
    puts "EBMHW STEP $name"
    flush stdout
}

# Returns the newest board files of the module, which the board store may hold.
proc ebmhw::find_board {pattern part} {
    set board [get_board_parts -quiet $pattern -latest_file_version]
    if {$board eq ""} {
        set store [xhub::get_xstores -quiet xilinx_board_store]
        if {$store ne ""} {
            set_param board.repoPaths [get_property LOCAL_ROOT_DIR $store]
            set board [get_board_parts -quiet $pattern -latest_file_version]
        }
    }
    if {$board eq ""} {
        error "Vivado has no board files $pattern; install them: in Vivado's Tcl console `xhub::refresh_catalog\
            \[xhub::get_xstores xilinx_board_store\]`, then `xhub::install \[xhub::get_xitems *kv260*\]`"
    }
    set board [lindex $board end]
    set found [get_property PART_NAME [get_board_parts $board]]
    if {![string equal -nocase $found $part]} {
        error "the board files $board are of part $found, not $part; install those of the KV260"
    }
    return $board
}

# Sets the carrier at the module's connector, in the newest version that Vivado has.
proc ebmhw::connect_carrier {connection} {
    variable carrier_versions
    set versions {}
    foreach carrier [get_boards -quiet *kv260_carrier*] {
        if {[regexp {:(\d+\.\d+)$} $carrier -> version]} {
            lappend versions $version
        }
    }
    # Most versions of Vivado take the pattern itself, as the KV260 examples of Xilinx's XilinxCEDStore do.
    set versions [concat * [lsort -decreasing -real $versions] $carrier_versions]
    foreach version $versions {
        set candidate [string map [list * $version] $connection]
        if {![catch {set_property board_connections $candidate [current_project]}]
            && [get_property board_connections [current_project]] ne ""} {
            return $candidate
        }
    }
    error "Vivado has no board files of the carrier: tried the versions [join $versions {, }] of $connection; install them from the board store"
}

# Waits for a run and those that it needs (each IP has one of its own), and tells which failed.
proc ebmhw::finish_run {run} {
    # Of a run that failed wait_on_run warns (2022.2) or is an error without a reason (2024.2, Vivado 12-13638): what counts is the status.
    set broken [catch {wait_on_run $run} reason]
    set faults {}
    foreach other [get_runs] {
        set name [get_property NAME $other]
        set status [get_property STATUS $other]
        if {[string match *ERROR* $status] || ($name eq $run && ![string match *Complete* $status])} {
            lappend faults "run $name ended with status '$status'; its log is [file join [get_property DIRECTORY $other] runme.log]"
        }
    }
    if {![llength $faults] && $broken} {
        lappend faults "run $run failed: $reason"
    }
    if {[llength $faults]} {
        error [join $faults {; }]
    }
}

proc ebmhw::reports {folder} {
    report_timing_summary -delay_type min_max -max_paths 10 -file [file join $folder timing.rpt]
    report_utilization -file [file join $folder utilisation.rpt]
    report_utilization -hierarchical -file [file join $folder utilisation_hierarchical.rpt]
    report_drc -file [file join $folder drc.rpt]
    report_methodology -file [file join $folder methodology.rpt]
}

# Returns "" where timing is met, else why not.
proc ebmhw::timing_fault {folder} {
    variable met
    set faults {}
    foreach kind {setup hold} {
        set paths [get_timing_paths -$kind -max_paths 1 -nworst 1]
        if {$paths eq ""} {
            lappend faults "no $kind path is constrained"
            continue
        }
        set slack [get_property SLACK [lindex $paths 0]]
        if {$slack eq "" || $slack < 0} {
            lappend faults "the worst $kind slack is '$slack' ns"
        }
    }
    set stream [open [file join $folder timing.rpt]]
    set text [read $stream]
    close $stream
    if {[string first $met $text] < 0} {
        lappend faults "the report does not say that constraints are met"
    }
    return [join $faults {; }]
}

proc ebmhw::write_file {path text} {
    set stream [open $path w]
    puts $stream $text
    close $stream
}

# Returns the exit status.
proc ebmhw::build {settings} {
    set folder [dict get $settings folder]
    set told [dict get $settings reports]
    set design [dict get $settings design]
    set top [dict get $settings top]
    set jobs [dict get $settings jobs]
    set repository [file join $folder ip]
    set products [file join $folder products]
    file mkdir $repository $products

    step "find the board files"
    set board [find_board [dict get $settings board_part] [dict get $settings part]]
    foreach unit [dict get $settings units] {
        step "package [dict get $unit name]"
        package_ip $settings $unit $repository
    }

    step "make the block design"
    create_project $design [file join $folder project] -part [dict get $settings part] -force
    set_property board_part $board [current_project]
    set carrier [connect_carrier [dict get $settings board_connection]]
    write_file [file join $folder board.txt] "$board, $carrier"
    set_property target_language Verilog [current_project]
    set_property ip_repo_paths [list $repository] [current_project]
    update_ip_catalog
    make_block_design $settings
    set file [get_files $design.bd]
    set wrapper [make_wrapper -files $file -top]
    add_files -norecurse $wrapper
    set_property top $top [current_fileset]
    update_compile_order -fileset sources_1
    generate_target all $file

    step "synthesise"
    launch_runs synth_1 -jobs $jobs
    finish_run synth_1

    step "place and route"
    set_property strategy Performance_ExplorePostRoutePhysOpt [get_runs impl_1]
    launch_runs impl_1 -to_step post_route_phys_opt_design -jobs $jobs
    finish_run impl_1

    step "check timing"
    open_run impl_1
    reports $told
    set fault [timing_fault $told]
    close_design
    if {$fault ne ""} {
        puts "EBMHW FAILED timing is not met: $fault"
        close_project
        return 3
    }

    step "write the bitstream"
    launch_runs impl_1 -to_step write_bitstream -jobs $jobs
    finish_run impl_1

    step "export"
    write_hw_platform -fixed -include_bit -force -file [file join $products $design.xsa]
    file copy -force [file join [get_property DIRECTORY [get_runs impl_1]] $top.bit] [file join $products $design.bit]
    # The folder of generated files is beside the project, PROJECT.gen.
    set handoff [file join $folder project $design.gen sources_1 bd $design hw_handoff $design.hwh]
    file copy -force $handoff [file join $products $design.hwh]
    close_project
    return 0
}

source [lindex $argv 0]
if {[catch {ebmhw::build $settings} outcome]} {
    set trace $::errorInfo
    puts "EBMHW FAILED [lindex [split $outcome \n] 0]"
    puts $trace
    exit 1
}
exit $outcome

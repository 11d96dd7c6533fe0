# One unit as an IP: its files, interfaces, and every register and field of its map, from which PYNQ makes `register_map`.

namespace eval ebmhw {
    # Interfaces of a unit that its clock drives. package_project infers them from the ports' names (UG1118); asked for once more, one that is
    # there may come a second time under another name: ADI's scripts (adi_ip_xilinx.tcl) take all away before they infer.
    variable buses {
        s_axi  xilinx.com:interface:aximm_rtl:1.0
        s_axis xilinx.com:interface:axis_rtl:1.0
        m_axis xilinx.com:interface:axis_rtl:1.0
    }
    variable signals {
        clk       xilinx.com:signal:clock_rtl:1.0
        rst       xilinx.com:signal:reset_rtl:1.0
        interrupt xilinx.com:signal:interrupt_rtl:1.0
    }
}

# Packages the IP of a unit into a folder of the IP repository.
proc ebmhw::package_ip {settings unit repository} {
    variable buses
    variable signals
    set name [dict get $unit name]
    set work [file join [dict get $settings folder] package_$name]
    # A project on disk: ipx::package_project warns that it will refuse others (Ipptcl 7-1601).
    create_project package_$name $work -part [dict get $settings part] -force
    set_property target_language Verilog [current_project]
    add_files -norecurse [dict get $unit sources]
    foreach file [dict get $unit sources] {
        if {[file extension $file] eq ".sv"} {
            set_property file_type SystemVerilog [get_files $file]
        }
    }
    foreach file [dict get $unit memory_files] {
        add_files -norecurse $file
        if {[file extension $file] eq ".dat"} {
            set_property file_type {Memory Initialization Files} [get_files $file]
        }
    }
    set_property top [dict get $unit top] [current_fileset]
    update_compile_order -fileset sources_1

    ipx::package_project -root_dir [file join $repository $name] -vendor [dict get $settings vendor] -library [dict get $settings library] \
        -taxonomy /UserIP -import_files -force
    set core [ipx::current_core]
    set_property name $name $core
    set_property version [dict get $settings version] $core
    set_property display_name $name $core
    set_property description [dict get $unit doc] $core
    set_property core_revision 1 $core

    foreach {bus kind} $buses {
        if {[ipx::get_bus_interfaces -quiet $bus -of_objects $core] eq ""} {
            ipx::infer_bus_interfaces $kind $core
        }
    }
    foreach {signal kind} $signals {
        if {[ipx::get_bus_interfaces -quiet $signal -of_objects $core] eq ""} {
            ipx::infer_bus_interface $signal $kind $core
        }
    }
    foreach bus [concat [dict keys $buses] [dict keys $signals]] {
        if {[ipx::get_bus_interfaces -quiet $bus -of_objects $core] eq ""} {
            error "Vivado found no interface $bus among the ports of [dict get $unit top]"
        }
    }
    interface_parameter $core clk ASSOCIATED_BUSIF [join [dict keys $buses] :]
    interface_parameter $core clk ASSOCIATED_RESET rst
    interface_parameter $core rst POLARITY ACTIVE_HIGH
    interface_parameter $core interrupt SENSITIVITY LEVEL_HIGH
    add_registers $core $unit [dict get $settings register_range]

    ipx::create_xgui_files $core
    ipx::update_checksums $core
    ipx::check_integrity $core
    ipx::save_core $core
    close_project
    return
}

proc ebmhw::interface_parameter {core bus name value} {
    set interface [ipx::get_bus_interfaces $bus -of_objects $core]
    set parameter [ipx::get_bus_parameters -quiet $name -of_objects $interface]
    if {$parameter eq ""} {
        set parameter [ipx::add_bus_parameter $name $interface]
    }
    set_property value $value $parameter
}

# Adds the map of s_axi: one address block, each register once, each field once.
proc ebmhw::add_registers {core unit range} {
    set map [ipx::get_memory_maps -quiet s_axi -of_objects $core]
    if {$map eq ""} {
        set map [ipx::add_memory_map s_axi $core]
    }
    set_property slave_memory_map_ref s_axi [ipx::get_bus_interfaces s_axi -of_objects $core]
    # The packager makes a block of its own; with two PYNQ names the cell CELL/s_axi, and the overlay has no registers under the cell's name.
    foreach made [ipx::get_address_blocks -quiet -of_objects $map] {
        ipx::remove_address_block [get_property name $made] $map
    }
    set block [ipx::add_address_block Reg $map]
    set_property base_address 0 $block
    set_property range $range $block
    set_property width 32 $block
    set_property usage register $block
    set_property access read-write $block
    foreach entry [dict get $unit registers] {
        set register [ipx::add_register [dict get $entry name] $block]
        set_property address_offset [dict get $entry offset] $register
        set_property size 32 $register
        set_property access [dict get $entry access] $register
        set_property reset_value [dict get $entry reset] $register
        set_property reset_value_format long $register
        set_property description [dict get $entry doc] $register
        foreach part [dict get $entry fields] {
            set field [ipx::add_field [dict get $part name] $register]
            set_property bit_offset [dict get $part lsb] $field
            set_property bit_width [dict get $part bits] $field
            set_property access [dict get $part access] $field
            if {[dict get $part modified] ne ""} {
                set_property modified_write_value [dict get $part modified] $field
            }
            set_property description [dict get $part doc] $field
        }
    }
}

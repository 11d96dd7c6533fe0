# Properties that objects of Vivado have and, where they are few, the values they take; for `set_property` of board_vivado.tcl.
#
# Of cells: PG021 (DMA), PG099 (interrupt controller), PG247 (SmartConnect), PG201 (processor), spelt as in Tcl that Vivado wrote (write_bd_tcl).
# Of packaged IPs: UG1118 and IEEE 1685.

namespace eval stub {
    variable bit {0 1}
    variable widths {32 64 128 256 512 1024}
    variable bursts {2 4 8 16 32 64 128 256}
    variable accesses {read-only read-write write-only read-writeOnce writeOnce}
    # Of cells, by the middle of their VLNV; an empty list of values takes all.
    variable config [dict create \
        axi_dma [dict create c_include_sg $bit c_sg_include_stscntrl_strm $bit c_sg_length_width {} c_addr_width {} \
            c_include_mm2s $bit c_include_mm2s_dre $bit c_mm2s_burst_size $bursts c_m_axi_mm2s_data_width $widths \
            c_m_axis_mm2s_tdata_width [concat 8 16 $widths] \
            c_include_s2mm $bit c_include_s2mm_dre $bit c_s2mm_burst_size $bursts c_m_axi_s2mm_data_width $widths \
            c_s_axis_s2mm_tdata_width [concat 8 16 $widths]] \
        axi_intc [dict create C_IRQ_CONNECTION $bit C_IRQ_IS_LEVEL $bit C_IRQ_ACTIVE {0x0 0x1} C_HAS_FAST $bit C_KIND_OF_INTR {} C_KIND_OF_LVL {} \
            C_KIND_OF_EDGE {} C_ASYNC_INTR {}] \
        smartconnect [dict create NUM_SI {} NUM_MI {} NUM_CLKS {}] \
        xlconcat [dict create NUM_PORTS {}] \
        proc_sys_reset [dict create C_EXT_RESET_HIGH $bit C_AUX_RESET_HIGH $bit] \
        zynq_ultra_ps_e [dict create PSU__FPGA_PL0_ENABLE $bit PSU__FPGA_PL1_ENABLE $bit PSU__FPGA_PL2_ENABLE $bit PSU__FPGA_PL3_ENABLE $bit \
            PSU__USE__IRQ0 $bit PSU__USE__IRQ1 $bit PSU__USE__FABRIC__RST $bit PSU__NUM_FABRIC_RESETS {0 1 2 3 4} \
            PSU__CRL_APB__PL0_REF_CTRL__SRCSEL {IOPLL RPLL DPLL} PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ {}]]
    foreach port {M_AXI_GP0 M_AXI_GP1 M_AXI_GP2 S_AXI_ACE S_AXI_ACP S_AXI_GP0 S_AXI_GP1 S_AXI_GP2 S_AXI_GP3 S_AXI_GP4 S_AXI_GP5 S_AXI_GP6} {
        dict set config zynq_ultra_ps_e PSU__USE__$port $bit
    }
    foreach port {MAXIGP0 MAXIGP1 MAXIGP2 SAXIGP0 SAXIGP1 SAXIGP2 SAXIGP3 SAXIGP4 SAXIGP5 SAXIGP6} {
        dict set config zynq_ultra_ps_e PSU__${port}__DATA_WIDTH {32 64 128}
    }
    # Of an IP, of its interfaces, of what these have, of registers, of fields: by the depth of the handle.
    variable packaged [list \
        {name {} version {} display_name {} description {} core_revision {} vendor_display_name {} company_url {} supported_families {}} \
        {slave_memory_map_ref {} name {} interface_mode {master slave}} \
        [list value {} base_address {} range {} width {} usage {memory register reserved} access $accesses] \
        [list address_offset {} size {} size_format {} access $accesses reset_value {} reset_value_format {bitString bool float long string} \
            description {} display_name {}] \
        [list bit_offset {} bit_width {} bit_width_format {} access $accesses description {} read_action {clear modify set} \
            modified_write_value {oneToClear oneToSet oneToToggle zeroToClear zeroToSet zeroToToggle clear set modify}]]
    variable others {
        project: {board_part {} board_connections {} target_language {Verilog VHDL} ip_repo_paths {} default_lib {}}
        run: {strategy {Performance_Explore Performance_ExplorePostRoutePhysOpt Performance_NetDelay_low Performance_ExploreWithRemap}}
        sources_1 {top {}}
        / {file_type {SystemVerilog Verilog {Verilog Header} {Memory File} {Memory Initialization Files} VHDL XDC}}
    }
}

# An error, as Vivado's, where the object has no such property or the property takes no such value.
proc stub::check_property {object name value} {
    variable config
    variable packaged
    variable others
    variable cells
    set known ""
    if {[dict exists $cells $object]} {
        set kind [lindex [split [dict get $cells $object] :] 2]
        if {[dict exists $config $kind]} { set known [dict get $config $kind] }
        set name [regsub {^CONFIG\.} $name {}]
        if {[regsub {\.VALUE_SRC$} $name {} bare]} {
            set known [dict create $name [expr {[dict exists $known $bare] ? {DEFAULT USER PROPAGATED} : {}}]]
            if {![dict exists [dict get $config $kind] $bare]} { set known "" }
        }
    } elseif {[regexp {^ip\d+(/|$)} $object]} {
        set known [lindex $packaged [expr {[llength [split $object /]] - 1}]]
    } else {
        dict for {start properties} $others {
            if {[string match $start* $object]} { set known $properties }
        }
    }
    set names [dict keys $known]
    if {![dict exists $known $name]} {
        error "ERROR: \[Common 17-142\] '$object' has no property '$name'; it has [join $names {, }]"
    }
    set values [dict get $known $name]
    if {[llength $values] && $value ni $values} {
        error "ERROR: \[Common 17-69\] '$value' is no value of '$name' of '$object'; it takes [join $values {, }]"
    }
}

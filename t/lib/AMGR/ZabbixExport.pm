# SPDX-License-Identifier: Apache-2.0
#
# The form of a template of Zabbix 6.0 as far as ours use it, stricter than an
# import is: what an object may and must have, words, numbers and references.
package AMGR::ZabbixExport;

use strict;
use warnings;

use AMGR::ZabbixExpression qw(parse_expression calls_of);

use Exporter qw(import);
our @EXPORT_OK = qw(export_problems);

my $duration = qr/^(?:0|[1-9]\d*[smhdw])$/;
my $key = qr/^[\w.-]+(?:\[[^\[\]]*\])?$/;
my $line = qr/^[^\n]+$/;
my $text = qr/./;
my $yes = qr/^(?:YES|NO)$/;

# { object => { member => [form, whether it must be there] } }; a form is a
# pattern, the name of an object, or [the name of objects] for a list of them.
my %item = (
    uuid => [qr/^[0-9a-f]{32}$/, 1], name => [$line, 1], key => [$key, 1],
    type => [qr/^(?:DEPENDENT|HTTP_AGENT|CALCULATED)$/],
    delay => [$duration, 1], description => [$text, 1],
    preprocessing => [['step']], master_item => ['master'],
    url => [qr{^\{\$[A-Z.]+\}://}], timeout => [$duration],
);
my %value = (
    history => [$duration, 1], trends => [$duration], units => [$line],
    value_type => [qr/^(?:FLOAT|UNSIGNED|CHAR|TEXT)$/], params => [$line],
    valuemap => ['named'], tags => [['tag'], 1],
);
my %trigger = (
    uuid => $item{uuid}, name => [$line, 1], expression => [$line, 1],
    priority => [qr/^(?:INFO|WARNING|AVERAGE|HIGH|DISASTER)$/, 1],
    description => [$text, 1], manual_close => [$yes],
    dependencies => [['dependency']], tags => [['tag'], 1],
);
my %graph = (
    uuid => $item{uuid}, name => [$line, 1],
    type => [qr/^(?:NORMAL|STACKED)$/], graph_items => [['graph_item'], 1],
);
my %objects = (
    export => {
        version => [qr/^6\.0$/, 1],
        date => [qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 1],
        groups => [['group'], 1], templates => [['template'], 1],
        triggers => [['trigger']], graphs => [['graph']],
    },
    group => { uuid => $item{uuid}, name => [$line, 1] },
    template => {
        uuid => $item{uuid}, template => [$line, 1], name => [$line, 1],
        description => [$text, 1], groups => [['named'], 1],
        items => [['item'], 1], discovery_rules => [['rule']],
        tags => [['tag']], macros => [['macro']], valuemaps => [['valuemap']],
    },
    item => { %item, %value, triggers => [['trigger']] },
    prototype => { %item, %value, trigger_prototypes => [['trigger']] },
    rule => {
        %item, lifetime => [$duration], filter => ['filter'],
        item_prototypes => [['prototype'], 1],
        graph_prototypes => [['graph']], lld_macro_paths => [['path']],
    },
    step => {
        type => [qr/^[A-Z_]+$/, 1], parameters => [undef, 1],
        error_handler => [qr/^DISCARD_VALUE$/],
    },
    filter => {
        evaltype => [qr/^(?:AND|OR|AND_OR)$/, 1],
        conditions => [['condition'], 1],
    },
    condition => {
        macro => [qr/^\{#[A-Z]+\}$/, 1], value => [$line, 1],
        operator => [qr/^(?:NOT_)?MATCHES_REGEX$/, 1],
        formulaid => [qr/^[A-Z]$/, 1],
    },
    path => { lld_macro => [qr/^\{#[A-Z]+\}$/, 1], path => [qr/^\$\./, 1] },
    trigger => \%trigger,
    dependency => { name => [$line, 1], expression => [$line, 1] },
    graph => \%graph,
    graph_item => {
        sortorder => [qr/^\d+$/, 1], color => [qr/^[0-9A-F]{6}$/, 1],
        item => ['item_of_host', 1],
    },
    item_of_host => { host => [$line, 1], key => [$key, 1] },
    macro => {
        macro => [qr/^\{\$[A-Z][A-Z0-9_.]*\}$/, 1], value => [$line, 1],
        description => [$line, 1],
    },
    valuemap => {
        uuid => $item{uuid}, name => [$line, 1],
        mappings => [['mapping'], 1],
    },
    mapping => { value => [qr/^\d+$/, 1], newvalue => [$line, 1] },
    tag => { tag => [$line, 1], value => [$line, 1] },
    named => { name => [$line, 1] },
    master => { key => [$key, 1] },
);
# What a type of item has and no other.
my %only = (DEPENDENT => ['master_item'], CALCULATED => ['params'],
            HTTP_AGENT => ['url', 'timeout']);
# The form of a step's one parameter; those that take none have an empty one.
my %steps = (
    JSONPATH => qr/^\$/, JAVASCRIPT => qr/\breturn\b/,
    MATCHES_REGEX => $line, DISCARD_UNCHANGED_HEARTBEAT => $duration,
    CHANGE_PER_SECOND => qr/^$/, BOOL_TO_DECIMAL => qr/^$/,
);
# Functions that need numbers; the others take any value.
my %of_numbers = map { $_ => 1 } qw(min max avg change);

# What is wrong with this export, a line each.
sub export_problems {
    my ($export) = @_;
    my @problems = object('export', $export, 'export');
    return @problems if @problems;
    my ($template) = @{ $export->{templates} };
    my @rules = @{ $template->{discovery_rules} // [] };
    my @prototypes = map { @{ $_->{item_prototypes} } } @rules;
    my @items = (@{ $template->{items} }, @prototypes);
    my %item = map { $_->{key} => $_ } @items;
    push @problems, item_problems($_, \%item) for @items, @rules;
    push @problems, prototype_problems($_) for @rules;
    my @triggers = (@{ $export->{triggers} // [] },
                    map { (@{ $_->{triggers} // [] },
                           @{ $_->{trigger_prototypes} // [] }) } @items);
    push @problems, trigger_problems($_, \%item, $template, @triggers)
        for @triggers;
    for my $calculated (grep { $_->{params} } @items) {
        push @problems, map { "$calculated->{name}: $_" } grep { length }
            formula($calculated->{params}, \%item, '');
    }
    push @problems, map { graph_problems($_, \%item, $template) }
        @{ $export->{graphs} // [] },
        map { @{ $_->{graph_prototypes} // [] } } @rules;
    return @problems;
}

sub object {
    my ($kind, $node, $path) = @_;
    return "$path is no object" if ref $node ne 'HASH';
    my $members = $objects{$kind};
    my @problems;
    for my $name (sort keys %$node) {
        my $form = $members->{$name};
        push @problems, $form ? member($form->[0], $node->{$name},
                                       "$path/$name")
                              : "$path/$name is unknown";
    }
    push @problems, map { "$path/$_ is missing" }
        grep { $members->{$_}[1] && !exists $node->{$_} } sort keys %$members;
    return @problems;
}

sub member {
    my ($form, $node, $path) = @_;
    return if !defined $form; # parameters of steps: looked at with their type
    if (ref $form eq 'ARRAY') {
        return "$path is no list" if ref $node ne 'ARRAY' || !@$node;
        return map { object($form->[0], $node->[$_], "$path/$_") }
            0 .. $#$node;
    }
    return object($form, $node, $path) if ref $form ne 'Regexp';
    return "$path is no text" if ref $node || !defined $node;
    return "$path is '$node'" if $node !~ $form;
    return;
}

sub item_problems {
    my ($item, $all) = @_;
    my $type = $item->{type} // 'ZABBIX_PASSIVE';
    my $value = $item->{value_type} // 'UNSIGNED';
    my @problems;
    for my $of (sort keys %only) {
        push @problems, map { "$item->{key}: $type and $_" }
            grep { exists $item->{$_} xor $type eq $of } @{ $only{$of} };
    }
    push @problems, "$item->{key}: a delay of its own"
        if ($item->{delay} eq '0') ne ($type eq 'DEPENDENT');
    if (my $master = $item->{master_item}) {
        my $asked = $all->{ $master->{key} };
        push @problems, "$item->{key}: no master $master->{key}"
            if !$asked || ($asked->{type} // '') ne 'HTTP_AGENT';
    }
    push @problems, "$item->{key}: $value has trends or units"
        if $value =~ /CHAR|TEXT/
        && (($item->{trends} // '') ne '0' || exists $item->{units});
    push @problems, step_problems($item);
    return @problems;
}

sub step_problems {
    my ($item) = @_;
    my (@problems, %seen);
    for my $step (@{ $item->{preprocessing} // [] }) {
        my $name = "$item->{key}: $step->{type}";
        my $form = $steps{ $step->{type} };
        my $parameters = $step->{parameters};
        push @problems, "$name is no step" if !$form;
        push @problems, "$name is there twice" if $seen{ $step->{type} }++;
        push @problems, "$name has not one parameter of its form"
            if $form && (ref $parameters ne 'ARRAY' || @$parameters != 1
                         || $parameters->[0] !~ $form);
        push @problems, "$name handles no errors"
            if $step->{error_handler} && $step->{type} ne 'MATCHES_REGEX';
    }
    return @problems;
}

# Items of a prototype, and macros that are filtered by, go by what was found.
sub prototype_problems {
    my ($rule) = @_;
    my %known = map { $_->{lld_macro} => 1 }
        @{ $rule->{lld_macro_paths} // [] };
    # Without paths the rule's value says them itself: NAME is what ours say.
    %known = ('{#NAME}' => 1) if !%known;
    my @problems;
    for my $prototype (@{ $rule->{item_prototypes} }) {
        push @problems, "$prototype->{key}: the same for all"
            if $prototype->{key} !~ /\{#/;
        push @problems, map { "$prototype->{key}: no $_" } grep { !$known{$_} }
            join(' ', $prototype->{key}, $prototype->{name},
                 map { @{ $_->{parameters} } }
                 @{ $prototype->{preprocessing} // [] }) =~ /\{#[A-Z]+\}/g;
    }
    push @problems, map { "$rule->{key}: filters by $_->{macro}" }
        grep { !$known{ $_->{macro} } }
        map { @{ $_->{conditions} } } grep { defined } $rule->{filter};
    return @problems;
}

# What is wrong with an expression; the host is empty in an item's.
sub formula {
    my ($expression, $items, $host) = @_;
    my $tree = eval { parse_expression($expression) } or return "$@" =~ s/\n//r;
    my @calls = calls_of($tree) or return 'asks nothing';
    for my $call (@calls) {
        my $item = $items->{ $call->{key} } or return "no item $call->{key}";
        return "host '$call->{host}'" if $call->{host} ne $host;
        return "$call->{name}() of a text"
            if $of_numbers{ $call->{name} }
            && ($item->{value_type} // '') =~ /CHAR|TEXT/;
    }
    return '';
}

sub trigger_problems {
    my ($trigger, $items, $template, @all) = @_;
    my @problems = map { "$trigger->{name}: $_" } grep { length }
        formula($trigger->{expression}, $items, $template->{template});
    for my $other (@{ $trigger->{dependencies} // [] }) {
        push @problems, "$trigger->{name}: depends on what is not there"
            if !grep { $_->{name} eq $other->{name}
                       && $_->{expression} eq $other->{expression}
                       && $_ != $trigger } @all;
    }
    return @problems;
}

sub graph_problems {
    my ($graph, $items, $template) = @_;
    return map { "$graph->{name}: no $_->{key} of $_->{host}" }
        grep { !$items->{ $_->{key} } || $_->{host} ne $template->{template} }
        map { $_->{item} } @{ $graph->{graph_items} };
}

1;

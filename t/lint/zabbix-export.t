#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The shipped Zabbix templates have the form of an export of Zabbix 6.0, and
# what an import would refuse, or take for something else, is found in a copy
# that was spoilt.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(files);
use AMGR::Zabbix qw(load_template);
use AMGR::ZabbixExport qw(export_problems);
use JSON::PP ();
use Test::More;

my %export = map { (m{by_(\w+)\.yaml$})[0] => load_template($_)->{export} }
    files(qr/\.yaml$/, 'conf/zabbix');
is_deeply([sort keys %export], [qw(agent http)], 'both templates');
for my $name (sort keys %export) {
    is_deeply([export_problems(copy($name))], [], "$name: as Zabbix has it");
}

sub copy {
    my ($name) = @_;
    my $json = JSON::PP->new;
    return $json->decode($json->encode($export{$name}));
}

sub template { return $_[0]{templates}[0] }
sub rule { return template($_[0])->{discovery_rules}[0] }
sub first_prototype { return rule($_[0])->{item_prototypes}[0] }

# The first item with this member.
sub item {
    my ($export, $member) = @_;
    my ($item) = grep { exists $_->{$member} } @{ template($export)->{items} };
    return $item // die "no item with $member\n";
}

sub trigger { return item($_[0], 'triggers')->{triggers}[0] }

# The first step of this type.
sub step {
    my ($export, $type) = @_;
    my ($step) = grep { $_->{type} eq $type }
        map { @{ $_->{preprocessing} // [] } } @{ template($export)->{items} };
    return $step // die "no step $type\n";
}

sub in_trigger {
    my ($pattern, $other) = @_;
    return sub {
        my $trigger = trigger($_[0]);
        $trigger->{expression} =~ s/$pattern/$other/ or die "no $pattern\n";
    };
}

# [what, template, how, what is said of it]
my @cases = (
    ['another version', 'http', sub { $_[0]{version} = '7.0' },
     qr{export/version is '7.0'}],
    ['a date without a time', 'http', sub { $_[0]{date} = '2026-01-05' },
     qr{export/date is}],
    ['no groups', 'http', sub { delete $_[0]{groups} },
     qr{export/groups is missing}],
    ['value maps where they were in 5.2', 'http',
     sub { $_[0]{value_maps} = delete template($_[0])->{valuemaps} },
     qr{export/value_maps is unknown}],
    ['an application', 'http',
     sub { item($_[0], 'url')->{applications} = [{ name => 'x' }] },
     qr{items/0/applications is unknown}],
    ['an item without a key', 'http', sub { delete item($_[0], 'url')->{key} },
     qr{items/0/key is missing}],
    ['a list that is none', 'http',
     sub { template($_[0])->{macros} = {} }, qr{macros is no list}],
    ['a text that is a list', 'http',
     sub { item($_[0], 'url')->{name} = ['a'] }, qr{items/0/name is no text}],
    ['a word of another enumeration', 'http',
     sub { trigger($_[0])->{priority} = 'CRITICAL' },
     qr{priority is 'CRITICAL'}],
    ['a number for a word', 'http',
     sub { item($_[0], 'value_type')->{value_type} = '3' },
     qr{value_type is '3'}],
    ['a type that is not ours', 'agent',
     sub { item($_[0], 'triggers')->{type} = 'ZABBIX_PASIVE' },
     qr{type is 'ZABBIX_PASIVE'}],
    ['yes for YES', 'http',
     sub { trigger($_[0])->{manual_close} = 'yes' }, qr{manual_close is 'yes'}],
    ['a span without its unit', 'http',
     sub { item($_[0], 'url')->{delay} = '60x' }, qr{delay is '60x'}],
    ['a colour by its name', 'http',
     sub { $_[0]{graphs}[0]{graph_items}[0]{color} = 'red' },
     qr{color is 'red'}],
    ['a key with a blank', 'http',
     sub { item($_[0], 'url')->{key} = 'a b' }, qr{key is 'a b'}],
    ['a macro in small letters', 'http',
     sub { template($_[0])->{macros}[0]{macro} = '{$apache}' },
     qr{macro is '\{\$apache\}'}],
    ['an address of no item for it', 'http',
     sub { item($_[0], 'master_item')->{url} = '{$X}://x' },
     qr{DEPENDENT and url}],
    ['a dependent item of nothing', 'http',
     sub { delete item($_[0], 'master_item')->{master_item} },
     qr{DEPENDENT and master_item}],
    ['a dependent item of its own pace', 'http',
     sub { item($_[0], 'master_item')->{delay} = '1m' },
     qr{a delay of its own}],
    ['a dependent item of a missing one', 'http',
     sub { item($_[0], 'master_item')->{master_item}{key} = 'gone' },
     qr{no master gone}],
    ['a rule of a missing item', 'http',
     sub { rule($_[0])->{master_item}{key} = 'gone' }, qr{no master gone}],
    ['an item of an agent without a pace', 'agent',
     sub { item($_[0], 'triggers')->{delay} = '0' }, qr{a delay of its own}],
    ['a formula of no calculated item', 'agent',
     sub { item($_[0], 'triggers')->{params} = '1' },
     qr{ZABBIX_PASSIVE and params}],
    ['trends of texts', 'http',
     sub { delete item($_[0], 'trends')->{trends} }, qr{has trends or units}],
    ['a step that is none', 'http',
     sub { step($_[0], 'JSONPATH')->{type} = 'JSON_PATH' },
     qr{JSON_PATH is no step}],
    ['a step without a parameter', 'http',
     sub { step($_[0], 'JSONPATH')->{parameters} = [] },
     qr{JSONPATH has not one parameter}],
    ['a step with an empty parameter', 'http',
     sub { step($_[0], 'MATCHES_REGEX')->{parameters} = [''] },
     qr{MATCHES_REGEX has not one parameter}],
    ['a step with two', 'http',
     sub { push @{ step($_[0], 'JSONPATH')->{parameters} }, 'x' },
     qr{JSONPATH has not one parameter}],
    ['a parameter where there is none', 'http',
     sub { step($_[0], 'BOOL_TO_DECIMAL')->{parameters} = ['x'] },
     qr{BOOL_TO_DECIMAL has not one parameter}],
    ['a change of a change', 'http',
     sub { my $steps = item($_[0], 'preprocessing')->{preprocessing};
           push @$steps, map { { type => 'CHANGE_PER_SECOND',
                                 parameters => [''] } } 1, 2 },
     qr{CHANGE_PER_SECOND is there twice}],
    ['an error handler of 4.0', 'http',
     sub { step($_[0], 'MATCHES_REGEX')->{error_handler} = 'DISCARD' },
     qr{error_handler is 'DISCARD'}],
    ['an error handler for what has no error', 'http',
     sub { step($_[0], 'DISCARD_UNCHANGED_HEARTBEAT')->{error_handler}
               = 'DISCARD_VALUE' }, qr{handles no errors}],
    ['a prototype that is one item', 'agent',
     sub { first_prototype($_[0])->{key} = 'apache-manager.x[a,b]' },
     qr{the same for all}],
    ['a macro that discovery does not have', 'http',
     sub { first_prototype($_[0])->{name} .= ' {#ROLE}' }, qr{no \{#ROLE\}}],
    ['a filter by such', 'http',
     sub { rule($_[0])->{filter}{conditions}[0]{macro} = '{#ROLE}' },
     qr{filters by \{#ROLE\}}],
    ['the syntax of 5.2', 'agent',
     sub { trigger($_[0])->{expression} = '{Apache:a.b.last()}<0' },
     qr{what is: \{Apache}],
    ['no expression', 'agent', sub { trigger($_[0])->{expression} = '' },
     qr{expression is ''}],
    ['an expression of a number', 'agent',
     sub { trigger($_[0])->{expression} = '1>0' }, qr{asks nothing}],
    ['half of a comparison', 'agent', in_trigger(qr/=1$/, '='),
     qr{what is: $}m],
    ['a comparison that there is not', 'agent', in_trigger(qr/=1$/, '==1'),
     qr{what is: =1}],
    ['two of them', 'agent', in_trigger(qr/=1$/, '=1m2'), qr{what is: 1m2}],
    ['no parenthesis', 'agent', in_trigger(qr/\)=1$/, '=1'),
     qr{does not end}],
    ['a function that there is not', 'agent', in_trigger(qr/^nodata/, 'nodat'),
     qr{no function nodat}],
    ['a function without its parameter', 'agent', in_trigger(qr/,5m/, ''),
     qr{nodata\(\) has 0 parameters}],
    ['a function with too many', 'agent', in_trigger(qr/,5m/, ',5m,5m'),
     qr{nodata\(\) has 2 parameters}],
    ['a missing item', 'agent', in_trigger(qr/file-age/, 'file-aged'),
     qr{no item apache-manager.file-aged}],
    ['another template', 'agent', in_trigger(qr{/Apache Manager}, '/Apache'),
     qr{host 'Apache by}],
    ['numbers of a text', 'http',
     sub { trigger($_[0])->{expression} =
           'min(/Apache Manager by HTTP/apache-manager.http[version],5m)>0' },
     qr{min\(\) of a text}],
    ['a formula of missing items', 'http',
     sub { item($_[0], 'params')->{params} =~ s/busy/bussy/ },
     qr{no item apache-manager.http\[bussy-workers\]}],
    ['a formula with a host', 'http',
     sub { item($_[0], 'params')->{params} =~ s{//}{/x/} }, qr{host 'x'}],
    ['a dependency of a missing trigger', 'agent',
     sub { my ($trigger) = grep { $_->{dependencies} }
               @{ item($_[0], 'triggers')->{triggers} };
           $trigger->{dependencies}[0]{expression} .= '0' },
     qr{depends on what is not there}],
    ['a graph of a missing item', 'http',
     sub { $_[0]{graphs}[0]{graph_items}[0]{item}{key} = 'gone' },
     qr{no gone of Apache Manager by HTTP}],
    ['a graph of another host', 'http',
     sub { $_[0]{graphs}[0]{graph_items}[0]{item}{host} = 'gone' },
     qr{ of gone}],
);
for my $case (@cases) {
    my ($what, $name, $spoil, $said) = @$case;
    my $copy = copy($name);
    $spoil->($copy);
    like(join("\n", export_problems($copy)), $said, "$what is found");
}
done_testing();

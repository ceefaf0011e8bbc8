#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What the shipped Zabbix templates alarm on, and above all what they do not:
# their triggers on invented histories.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Zabbix qw(load_template all_items prototypes all_triggers);
use AMGR::ZabbixExpression qw(parse_expression evaluate);
use Test::More;

use constant MINUTES => 20; # of history, a value each

my %template = map {
    ($_ => load_template("conf/zabbix/apache_manager_by_$_.yaml"))
} qw(agent http);

# What each item has on a healthy prefork server of MaxRequestWorkers 150, which
# keeps few processes to spare: 60 of 68 are busy.
my %healthy = (
    'busy-workers' => 60, 'idle-workers' => 8, 'native-worker-count' => 68,
    'max-workers' => 150, 'hanging' => 0,
    'file-age' => 10, 'status-response' => 0, 'uptime' => 90_000,
    'killed-active' => 3, 'killed-idle' => 5, 'requests-lost' => 1,
    'orphaned-locks' => 0, 'tick-age' => 4, 'time' => 1_700_000_000,
    'interval' => 10, 'health' => 0, 'worker-memory' => 3 << 30,
    'memory-capacity' => 8 << 30, 'group-max' => 100 << 20,
    'managed-missed' => 0,
);

# [what, { item => [minutes, value], ... }, triggers by agent, by HTTP, macros]:
# the value that an item has had for so long, or [minutes] without any.
my $all = [6];
my @cases = (
    ['all is well', {}, [], []],
    ['a restart', { uptime => [2, 90] },
     ['The server was restarted'], ['The server was restarted']],
    ['a request has been hanging for some minutes', { hanging => [4, 1] },
     [], []],
    ['a request goes on hanging', { hanging => [6, 1] },
     ['Requests hang'], ['Requests hang']],
    ['as many hang as usual', { hanging => [15, 30] }, [], [],
     { '{$APACHE.MANAGER.HANGING.MAX}' => 30 }],
    ['more hang than usual', { hanging => [6, 31] },
     ['Requests hang'], ['Requests hang'],
     { '{$APACHE.MANAGER.HANGING.MAX}' => 30 }],
    ['no worker was idle for a while',
     { 'idle-workers' => [4, 0], 'busy-workers' => [4, 68] }, [], []],
    ['no worker is idle',
     { 'idle-workers' => [6, 0], 'busy-workers' => [11, 150],
       'native-worker-count' => [11, 150] },
     ['No worker has been idle for 5 minutes'],
     ['No worker has been idle for 5 minutes']],
    ['nearly as many are busy as may be',
     { 'busy-workers' => [11, 142], 'native-worker-count' => [11, 150] },
     [], ['Workers have been busy for 10 minutes']],
    ['active workers retired', { 'killed-active' => [1, 4] },
     ['Active workers were retired'], ['Active workers were retired']],
    ['idle workers retired', { 'killed-idle' => [1, 6] },
     ['Idle workers were retired'], ['Idle workers were retired']],
    ['a large process', { 'group-max' => [6, 2 << 30] },
     ['{#NAME}: a process is large'], ['{#NAME}: a process is large']],
    ['it was large for a while', { 'group-max' => [4, 2 << 30] }, [], []],
    ['nothing comes', { map { $_ => $all } keys %healthy },
     ['The agent tells nothing'], ['status.json does not come']],
    ['nothing comes, and the file was gone before',
     { (map { $_ => $all } keys %healthy), 'file-age' => [6, undef, -1] },
     ['The agent tells nothing'], undef],
    ['nothing comes, and the file was old before',
     { (map { $_ => $all } keys %healthy), 'file-age' => [6, undef, 900] },
     ['The agent tells nothing'], undef],
    ['a value is missing', { map { $_ => [4] } keys %healthy }, [], []],
    ['no file', { 'file-age' => [1, -1] }, ['There is no metrics file'], undef],
    ['an old file', { 'file-age' => [1, 200] }, ['The metrics file is old'],
     undef],
    ['half of the figures', { 'status-response' => [6, 1] },
     ['Not everything can be collected'], undef],
    ['half of the figures once', { 'status-response' => [4, 1] }, [], undef],
    ['it may not signal', { health => [4, 3] }, undef,
     ['It does not work as it should']],
    ['a worker is near its limit', { health => [16, 2] }, undef,
     ['There is something to look at']],
    ['nobody ticks', { 'tick-age' => [1, 51] }, undef,
     ['Nobody looks at the processes any more']],
    ['a tick is late', { 'tick-age' => [1, 49] }, undef, []],
    ['memory is scarce', { 'worker-memory' => [6, 7.5 * 2**30] }, undef,
     ['The workers have nearly all of the memory']],
    ['no limit of all workers', { 'worker-memory' => [MINUTES] }, undef, []],
    ['a request lost', { 'requests-lost' => [1, 2] }, undef,
     ['Requests were cut off']],
    ['a managed process starts', { 'managed-missed' => [4, 1] }, undef, []],
    ['a managed process is not ready', { 'managed-missed' => [6, 1] }, undef,
     ['process {#NAME} is not ready']],
    ['a lock without a holder', { 'orphaned-locks' => [1, 1] }, undef,
     ['Workers wait for a lock for ever']],
);

for my $which (sort keys %template) {
    my $template = $template{$which};
    my %fired;
    for my $case (@cases) {
        my ($what, $events, $agent, $http, $macros) = @$case;
        my $want = $which eq 'agent' ? $agent : $http;
        next if !$want;
        my @fired = firing($template, $events, $macros);
        is_deeply(\@fired, [sort @$want], "$which: $what");
        $fired{$_} = 1 for @fired;
    }
    is_deeply([sort keys %fired], [sort map { bare($_) }
                                   all_triggers($template)],
              "$which: each trigger has its case");
}
done_testing();

sub bare { return $_[0]{name} =~ s/^Apache Manager: //r }

# The short name in the tables above of an item's key.
sub short {
    my ($key) = @_;
    return 'group-max' if $key =~ /\{#NAME\},max\]$/;
    return 'managed-missed' if $key =~ /managed\[\{#NAME\},missed\]$/;
    my ($name) = $key =~ /\[([a-z-]+)\]$/;
    $name //= $key =~ s/^apache-manager\.//r;
    return $name =~ s/^workers-//r;
}

# The triggers that are on, without those that wait for another.
sub firing {
    my ($template, $events, $more) = @_;
    my %history = map { $_->{key} => history(short($_->{key}), $events) }
        all_items($template), prototypes($template);
    $history{ $_->{key} } = calculated($_->{params}, \%history)
        for grep { $_->{params} } all_items($template);
    my %macros = ((map { $_->{macro} => $_->{value} } @{ $template->{macros} }),
                  %{ $more // {} });
    my %on = map { ($_->{name} => $_) } grep {
        evaluate(parse_expression($_->{expression}), \%history, \%macros)
    } all_triggers($template);
    return sort map { bare($_) } grep {
        !grep { $on{ $_->{name} } } @{ $_->{dependencies} // [] }
    } values %on;
}

# One value a minute, newest first; before the event it was the healthy one, or
# the third of the event.
sub history {
    my ($name, $events) = @_;
    my $usual = $healthy{$name} // return [];
    my ($minutes, $value, $before) = @{ $events->{$name} // [0] };
    return [map { [$_ * 60 + 5, $_ < $minutes ? $value : $before // $usual] }
            grep { $_ >= $minutes || defined $value } 0 .. MINUTES - 1];
}

# What an item is that is made of others, whenever it was made.
sub calculated {
    my ($formula, $history) = @_;
    my $tree = parse_expression($formula);
    my @values;
    for my $age (map { $_ * 60 + 5 } 0 .. MINUTES - 1) {
        my %then = map {
            ($_ => [grep { $_->[0] >= $age } @{ $history->{$_} }])
        } keys %$history;
        my $value = evaluate($tree, \%then, {});
        push @values, [$age, $value] if defined $value;
    }
    return \@values;
}

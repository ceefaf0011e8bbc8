# SPDX-License-Identifier: Apache-2.0
#
# What is seen of a managed process: the way it went as the log tells it, its
# figures in status.json and in the metrics, and what it costs.
#
#   is_seen($s, 'web', { path => 'STOPPED STARTING RUNNING EXITED',
#                        starts => 1, exits => { clean => 1 } });
package AMGR::ManagedSeen;

use strict;
use warnings;

use AMGR::Cli qw(cli);
use AMGR::Exposition;
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use POSIX ();
use Test::Builder;
use Time::HiRes qw(time);

use Exporter qw(import);
our @EXPORT_OK = qw(changes path reasons is_seen is_told order cpu_seconds
                    guard_of high_water_kib process_lines);

use constant TICKS => POSIX::sysconf(POSIX::_SC_CLK_TCK());

# Lines of the log about it, whatever they tell.
sub process_lines {
    my ($s, $name, $pattern) = @_;
    return grep { / process \Q$name\E: / && (!$pattern || /$pattern/) }
        split /\n/, $s->log_text(0);
}

# Its changes of state in their order: from, to, why, and the time of the day
# in seconds.
sub changes {
    my ($s, $name) = @_;
    my @found;
    for my $line (process_lines($s, $name, qr/AMGR0034/)) {
        next unless $line =~ / (\d\d):(\d\d):(\d\d\.\d+) .*
            :\ ([A-Z]+)\ ->\ ([A-Z]+)(?:\ \((.*)\))?$/x;
        push @found, { time => 3600 * $1 + 60 * $2 + $3, from => $4, to => $5,
                       why => $6 // '' };
    }
    return @found;
}

# The states that it went through; "?" where a change is not from where the one
# before it led.
sub path {
    my ($s, $name) = @_;
    my @path;
    for my $change (changes($s, $name)) {
        push @path, $change->{from} if !@path;
        push @path, '?' if $path[-1] ne $change->{from};
        push @path, $change->{to};
    }
    return "@path";
}

# Why it came to be in this state, each time.
sub reasons {
    my ($s, $name, $state) = @_;
    return map { $_->{why} } grep { $_->{to} eq $state } changes($s, $name);
}

sub metrics {
    my ($s) = @_;
    return AMGR::Exposition->new($s->get('/manager-status/metrics')->content,
                                 'text');
}

# The same of what status.json and the metrics say.
sub figures {
    my ($s, $name) = @_;
    my $row = AMGR::Managed::one($s, $name);
    my $m = metrics($s);
    my $metric = sub {
        $m->value("apache_manager_process_$_[0]", process => $name, @_[1 .. $#_])
    };
    my %json = (state => $row->{state}, ready => $row->{ready} ? 1 : 0,
                starts => $row->{starts});
    my %told = (ready => $metric->('ready'), starts => $metric->('starts_total'),
                state => join ' ', grep { $metric->('state', state => $_) }
                    qw(STOPPED STARTING RUNNING READY BACKOFF STOPPING EXITED
                       FATAL));
    for my $cause (keys %{ $row->{exits} }) {
        $json{"exits $cause"} = $row->{exits}{$cause};
        $told{"exits $cause"} = $metric->('exits_total', cause => $cause);
    }
    return (\%json, \%told);
}

sub text_of {
    my ($figures) = @_;
    return join ', ', map { "$_ $figures->{$_}" } grep { $figures->{$_} }
        sort keys %$figures;
}

# One test: it went this way, and its figures, of which those left out are 0,
# are these in status.json as in the metrics.
sub is_seen {
    my ($s, $name, $expected, $what) = @_;
    my %want = (state => (split ' ', $expected->{path})[-1],
                ready => $expected->{ready}, starts => $expected->{starts},
                map { ("exits $_" => $expected->{exits}{$_}) }
                    keys %{ $expected->{exits} // {} });
    my ($json, $told) = figures($s, $name);
    my @wrong;
    my $path = path($s, $name);
    push @wrong, "its way was $path" if $path ne $expected->{path};
    push @wrong, 'status.json: ' . text_of($json)
        if text_of($json) ne text_of(\%want);
    push @wrong, 'the metrics: ' . text_of($told)
        if text_of($told) ne text_of(\%want);
    my $test = Test::Builder->new;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $ok = $test->ok(!@wrong, "$name: " . ($what // 'way and figures'));
    $test->diag("expected: $expected->{path}; " . text_of(\%want), "\n",
                join "\n", @wrong) if !$ok;
    return $ok;
}

# One test: so many lines of the log about it are like this.
sub is_told {
    my ($s, $name, $pattern, $count, $what) = @_;
    my @lines = process_lines($s, $name, $pattern);
    my $test = Test::Builder->new;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $ok = $test->is_num(scalar @lines, $count, "$name: $what");
    $test->diag(join "\n", "$pattern in:", process_lines($s, $name)) if !$ok;
    return $ok;
}

# An order by the command line tool.
sub order {
    my ($s, $verb, @names) = @_;
    return cli('--url', $s->url('/manager-status'), $verb, @names);
}

# Of this process alone, without its children.
sub cpu_seconds {
    my ($pid) = @_;
    my @stat = AMGR::Httpd::stat_fields($pid) or return 0;
    return ($stat[11] + $stat[12]) / TICKS;
}

sub guard_of { my ($pid) = @_; return (AMGR::Httpd::stat_fields($pid))[1] }

# The most memory that it ever had.
sub high_water_kib {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/status" or return;
    while (my $line = <$fh>) {
        return $1 if $line =~ /^VmHWM:\s+(\d+) kB/;
    }
    return;
}

1;

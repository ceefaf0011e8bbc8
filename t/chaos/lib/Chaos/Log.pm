# SPDX-License-Identifier: Apache-2.0
#
# The error log as it grows: who ended by a signal that nobody has sent, what
# was retired for a reason that there is not, and what nobody expected.
package Chaos::Log;

use strict;
use warnings;

use Fcntl qw(SEEK_SET);

# What the server says of the troubles that it is in.
my @expected = (
    # Of httpd: its children are killed, all of them are busy, a backend is
    # not there, and what becomes of its own when it has no descriptor.
    qr/AH0005[12]: child pid \d+ exit signal /,
    qr/AH10159: |AH00484: |AH00161: |AH00286: |AH00287: |AH00288: |AH03490: /,
    qr/AH1039[23]: children are killed successively/,
    qr/\(9\)Bad file descriptor: AH03092: process_lingering_close/,
    qr/AH00045: child process \d+ still did not exit, sending a SIGTERM/,
    qr/AH01170: balancer:\S+: All workers are in error state/,
    qr/AH0095[79]: |AH01114: |AH0089[48]: |AH01102: |AH00992: |AH01110: /,
    qr/AH00940: http: disabled connection for /,
    # A worker that was forked when a graceful restart began: the file of the
    # proxy's mutex goes with the old configuration before it has opened it.
    qr/AH02479: could not init proxy_mutex in child/,
    qr/\(24\)Too many open files: /,
    qr/AH0004[67]: /,
    # Of the module.
    qr/AMGR0008: /,                        # a full disk
    qr/AMGR0011: ticker \d+ (?:ended by itself|has not ticked)/,
    qr/AMGR0017: |AMGR0018: |AMGR0024: /,  # a stopped worker is killed
    qr/AMGR003[5678]: /,                   # guards and processes are killed
    qr/AMGR0040: supervisor \d+ (?:ended by itself|has not answered)/,
    qr/AMGR0040: processes of the last run, /,
);

# Whoever has been struck, by pid, is in this hash.
sub new {
    my ($class, $s, $report, $struck) = @_;
    return bless { s => $s, report => $report, struck => $struck, at => 0,
                   killed => {}, unknown => [], going => [] },
        $class;
}

# All lines that have come since, whole ones.
sub follow {
    my ($self) = @_;
    open my $log, '<:raw', $self->{s}->log_file or return;
    seek $log, $self->{at}, SEEK_SET;
    local $/;
    my $text = scalar(<$log>) // '';
    my $end = rindex($text, "\n") + 1;
    $self->{at} += $end;
    $self->line($_) for split /\n/, substr $text, 0, $end;
    return;
}

sub line {
    my ($self, $line) = @_;
    if ($line =~ /AH0005[12]: child pid (\d+) exit signal (.+)$/) {
        push @{ $self->{unknown} }, [$1, $line];
    }
    elsif ($line =~ /AMGR0001: Killing native worker (\d+) .*: (.*)$/) {
        $self->retired($1, $2, $line);
    }
    elsif ($line =~ /AMGR00(?:17|18|20): (?:\w+ )*?worker (\d+) .*SIGKILL/) {
        $self->{killed}{$1} = 1;
    }
    elsif ($line =~ /AMGR0035: process \S+: its guard (\d+) is gone/) {
        $self->struck_ok($1, 'no guard is gone that was not killed', $line);
    }
    elsif ($line =~ /AMGR0040: supervisor (\d+) ended by itself/) {
        $self->struck_ok($1, 'no supervisor ends by itself', $line);
    }
    elsif ($line =~ /AMGR0011: ticker (\d+) (?:ended by|has not)/) {
        $self->struck_ok($1, 'no ticker ends by itself', $line);
    }
    $self->{full} = 1
        if $line =~ /(?:No space left on device|No such file.*): AMGR0008: /;
    return unless $line =~ /\[[^\]]*:(?:warn|error|crit|alert|emerg)\]/
        || $line =~ /Sanitizer|runtime error:/;
    $self->{report}->asserted('no line of the log that nobody expects');
    return if grep { $line =~ $_ } @expected;
    $self->{report}->failed('no line of the log that nobody expects', $line);
    return;
}

# By how many requests it has served, or for a time that only one that was
# stopped can take: never for a clock that was set.
sub retired {
    my ($self, $pid, $why, $line) = @_;
    my $name = 'nothing is retired without a reason';
    $self->{killed}{$pid} = 1 if $why =~ /SIGKILL/;
    push @{ $self->{going} }, $pid;
    shift @{ $self->{going} } if @{ $self->{going} } > 8;
    $self->{report}->met($why =~ /^(\w+(?: \w+)?) .* over/
                         ? "retired: $1" : "retired: $why");
    my $ok = $why =~ /ManagerMaxRequests/
        || $self->{struck}{$pid}
        || $why =~ /ManagerMaxGenerationAge/ && $self->{any_stopped};
    $self->{report}->check($ok, $name, $line);
    return;
}

sub struck_ok {
    my ($self, $pid, $name, $line) = @_;
    $self->{report}->check($self->{struck}{$pid}, $name, $line);
    return;
}

# Workers that were told to go, the latest last.
sub going { return @{ $_[0]{going} } }

# Once the lines of before and after an end are there.
sub settle {
    my ($self) = @_;
    for my $end (splice @{ $self->{unknown} }) {
        my ($pid, $line) = @$end;
        $self->{report}->check($self->{struck}{$pid} || $self->{killed}{$pid},
            'no worker ends by a signal of nobody', $line);
    }
    return;
}

# Whether it was told since the last time that the data file was not written.
sub told_of_full { my ($self) = @_; return delete $self->{full} }

1;

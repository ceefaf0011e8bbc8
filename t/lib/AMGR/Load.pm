# SPDX-License-Identifier: Apache-2.0
#
# The load client (t/lib/c/load.c) on one server of 127.0.0.1, beside the test.
#
#   my $load = AMGR::Load->start(port => $s->port, keep => 20,
#                                mix => ['9:/app/pid', '1:/app/sleep?s=0.5']);
#   $load->wait_for(1000, 20);
#   my $so_far = $load->progress;
#   my $result = $load->stop;      # its last report: { hard => { total => 0 } }
#
# Whatever way the test ends, the client ends with it.
package AMGR::Load;

use strict;
use warnings;

use AMGR::Build qw(repo_dir built);
use AMGR::Httpd qw(wait_until);
use IO::Select;
use JSON::PP ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(time);

use constant {
    REPORT_SEC => 60,
    END_SEC    => 120,
};

my %running;    # by pid
my $owner = $$;

sub program {
    return built('load', glob repo_dir() . '/t/lib/c/load*.[ch]');
}

# Options as those of the program, with "_" for "-"; mix is a list.
sub start {
    my ($class, %opt) = @_;
    my @args = ('--mix', join ' ', @{ delete $opt{mix} });
    push @args, '--tls' if delete $opt{tls};
    for my $name (sort keys %opt) {
        (my $option = $name) =~ tr/_/-/;
        push @args, "--$option", $opt{$name};
    }
    my $program = program();
    pipe my $from, my $to or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>&', $to or POSIX::_exit(126);
        exec 'setpriv', '--pdeathsig', 'KILL', $program, @args
            or POSIX::_exit(127);
    }
    close $to;
    my $self = bless { pid => $pid, from => $from, text => '' }, $class;
    $running{$pid} = $self;
    $self->report(REPORT_SEC); # it listens to signals now
    return $self;
}

# The next line of it; undef at its end.
sub report {
    my ($self, $timeout) = @_;
    my $deadline = time + $timeout;
    my $end;
    until (($end = index $self->{text}, "\n") >= 0) {
        my $left = $deadline - time;
        die "the load client says nothing\n" if $left <= 0;
        next unless IO::Select->new($self->{from})->can_read($left);
        my $got = sysread $self->{from}, $self->{text}, 65536,
            length $self->{text};
        if (!$got) {
            my $status = $self->reap;
            die "the load client ended with status $status\n" if $status;
            return;
        }
    }
    my $report = JSON::PP->new->decode(
        substr $self->{text}, 0, $end + 1, '');
    $self->{result} = $report if $report->{final};
    return $report;
}

sub reap {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return 0;
    waitpid $pid, 0;
    delete $running{$pid};
    return $?;
}

# What it has met with so far; the last report when it is over.
sub progress {
    my ($self) = @_;
    return $self->{result} if $self->{result};
    kill 'USR1', $self->{pid};
    return $self->report(REPORT_SEC);
}

# Until it has had so many requests; they, or nothing when it was too slow.
sub wait_for {
    my ($self, $requests, $timeout) = @_;
    return wait_until(sub {
        my $so_far = $self->progress;
        $so_far->{requests} >= $requests && $so_far;
    }, $timeout, "$requests requests");
}

# Its last report, once it is over by itself.
sub result {
    my ($self) = @_;
    until ($self->{result}) {
        $self->report(END_SEC) or die "the load client has no result\n";
    }
    $self->reap;
    return $self->{result};
}

# No more requests; those that run end first.
sub stop {
    my ($self) = @_;
    kill 'TERM', $self->{pid} if $self->{pid} && !$self->{result};
    return $self->result;
}

# What was lost, in words for diag.
sub lost {
    my ($class, $report) = @_;
    my @words;
    for my $f (@{ $report->{failures} }) {
        push @words, sprintf '%.3f %s %s: status %d, %d bytes, after %d '
            . 'requests%s%s%s', $f->{time}, $f->{kind}, $f->{path},
            $f->{status}, $f->{bytes}, $f->{after},
            $f->{retry} ? ', asked again' : '',
            $f->{error} ? ", $f->{error}" : '',
            $f->{detail} ? ", $f->{detail}" : '';
    }
    return @words;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        for my $pid (keys %running) {
            kill 'KILL', $pid;
            waitpid $pid, 0;
        }
        $? = $status;
    }
}

1;

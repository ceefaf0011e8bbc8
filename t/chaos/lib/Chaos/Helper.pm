# SPDX-License-Identifier: Apache-2.0
#
# A process beside the run that goes on by itself and says in lines of JSON what
# it has seen; it ends with the run.
package Chaos::Helper;

use strict;
use warnings;

use IO::Handle;
use JSON::PP ();
use POSIX ();

my $json = JSON::PP->new->canonical;

# Calls the sub again and again with what it says things by: $say->(@words).
sub start {
    my ($class, $round) = @_;
    my $run = $$;
    pipe my $from, my $to or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        close $from;
        $to->autoflush(1);
        my $say = sub { print {$to} $json->encode([@_]), "\n" };
        eval {
            $round->($say) while getppid() == $run;
            1;
        } or $say->('died', "$@");
        POSIX::_exit(0);
    }
    close $to;
    $from->blocking(0);
    return bless { pid => $pid, from => $from, text => '' }, $class;
}

sub pid { return $_[0]{pid} }

# What it has said since, a list each.
sub said {
    my ($self) = @_;
    while (sysread $self->{from}, $self->{text}, 65536, length $self->{text}) {
        # all that there is
    }
    my @said;
    while ($self->{text} =~ s/^(.*)\n//) {
        push @said, $json->decode($1);
    }
    return @said;
}

sub end {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

1;

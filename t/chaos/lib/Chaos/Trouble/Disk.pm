# SPDX-License-Identifier: Apache-2.0
#
# The data file cannot be written any more: its disk is full, or, where the run
# has no disk of its own, its directory is not there.  That it cannot is told
# in the log, and the file of before stays as it is.
package Chaos::Trouble::Disk;

use strict;
use warnings;

use parent 'Chaos::Trouble';

use AMGR::Board;
use Chaos::Server;
use Time::HiRes qw(time);

use constant TICKS => 4; # with so many it has been tried

sub moves { return (['disk of the data file full', 3, 'fill']) }

sub fill {
    my ($self) = @_;
    my $run = $self->run;
    return if $run->{busy}{disk} || !$self->is_written;
    my $dir = Chaos::Server::data_dir($self->s);
    my $undo = $self->s->{has_disk} ? full($dir) : away($dir);
    $run->{log}->follow;
    $run->{log}->told_of_full;
    my $ticker = $self->s->ticker_pid // 0;
    my $ticks = AMGR::Board->ticks($self->s->board_file) // 0;
    $run->{busy}{disk} = 1;
    $run->later($self->random->between(2, 8), sub {
        my $now = AMGR::Board->ticks($self->s->board_file) // 0;
        my $same = $ticker && ($self->s->ticker_pid // 0) == $ticker;
        $undo->();
        $self->{undone} = time;
        delete $run->{busy}{disk};
        $run->{log}->follow;
        my $told = $run->{log}->told_of_full;
        # At most one line a second, and one for all that fails alike.
        $run->{report}->check($told, 'a full disk is told in the log',
            "not within " . ($now - $ticks) . ' ticks')
            if $same && $now - $ticks >= TICKS;
    });
    return 1;
}

# That it cannot be is told once, until it could again.
sub is_written {
    my ($self) = @_;
    my @stat = Time::HiRes::stat(Chaos::Server::data_file($self->s)) or return;
    return $stat[9] > ($self->{undone} // 0);
}

sub full {
    my ($dir) = @_;
    my $file = "$dir/fill";
    open my $fh, '>:raw', $file or die "$file: $!\n";
    for my $size (4096, 1) {
        1 while syswrite $fh, "\0" x $size;
    }
    close $fh;
    return sub { unlink $file };
}

sub away {
    my ($dir) = @_;
    rename $dir, "$dir.away" or die "$dir: $!\n";
    return sub { rename "$dir.away", $dir or die "$dir: $!\n" };
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# How many ticks have ended, as the board of a server says: read from its file,
# since whoever asks a page keeps a worker busy at the very moment it is judged.
package AMGR::Board;

use strict;
use warnings;

use AMGR::Build qw(repo_dir build_dir built);
use Fcntl qw(SEEK_SET);

my %place; # by file, device and inode: where in it they are

# Since the server was first started; undef without a board.
sub ticks {
    my ($class, $file) = @_;
    open my $board, '<:raw', $file or return;
    my ($device, $inode) = stat $board;
    my $place = $place{"$file $device $inode"} //= place($file) // return;
    my ($offset, $count) = @$place;
    seek $board, $offset, SEEK_SET or return;
    my $got = read $board, my $bytes, 8 * $count;
    return unless defined $got && $got == 8 * $count;
    my $ticks = 0;
    $ticks += $_ for unpack 'Q<*', $bytes;
    return $ticks;
}

# Nothing while there is no whole board.
sub place {
    my ($file) = @_;
    # A board of another layout than the archive's is none to it.
    my $archive = build_dir() . '/libamgr.a';
    my $program = built('board-ticks', repo_dir() . '/t/lib/c/board_ticks.c',
                        -e $archive ? $archive : ());
    open my $out, '-|', $program, $file or die "$program: $!\n";
    my $line = <$out> // '';
    close $out;
    return $line =~ /^(\d+) (\d+)$/ ? [$1, $2] : undef;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# The ways in which the calls that a program makes can fail, and which of them
# are tried when there is no time for all.
package Faults::Ways;

use strict;
use warnings;

use AMGR::Inject;
use Digest::MD5 qw(md5);
use Faults::Errors qw(errors spread);

use Exporter qw(import);
our @EXPORT_OK = qw(ways_of in_order note places choose);

# By rank.
use constant {
    LIKELY => 0, # the first call of a place fails in the likeliest way;
    ALWAYS => 1, # so do all that follow;
    OTHERS => 2, # it fails in another way;
    LATER  => 3, # another call of the same place fails
};

my ($seed, $only) = (0, qr/./);
my (%known, %failed); # places, by part

# seed: of the order; only: a regexp of what is said of a way.
sub choose {
    my (%choice) = @_;
    $seed = $choice{seed} // $seed;
    $only = qr/$choice{only}/ if defined $choice{only};
    return;
}

# Of these sites of the binary that are in the code under test, in the order of
# their ranks: { rank, site, role, call, where, first, run, how }.  whole, more:
# how many of the later calls, as spread has them; none, if left out.
sub ways_of {
    my ($binary, $later, @sites) = @_;
    my $where = AMGR::Inject::where($binary, map { $_->{offset} } @sites);
    my @ranked = ([], [], [], []);
    for my $site (@sites) {
        # A test's own calls, and those of the compiler's counters, are nobody's
        # business.
        next if $where->{ $site->{offset} } !~ m{ src/};
        my ($likely, @others) = errors($site->{call});
        my %way = (site => $site->{key}, call => $site->{call},
                   role => $site->{role}, first => 1, run => 1, how => $likely,
                   where => $where->{ $site->{offset} });
        push @{ $ranked[LIKELY] }, {%way};
        # EINTR begins again for ever.
        push @{ $ranked[ALWAYS] }, { %way, run => 0 } if $likely ne 'EINTR';
        push @{ $ranked[OTHERS] }, map { { %way, how => $_ } } @others;
        push @{ $ranked[LATER] }, map { { %way, first => $_ } }
            grep { $_ > 1 } spread($site->{count}, @$later{qw(whole more)})
            if $later;
    }
    return map { my $rank = $_; map { { %$_, rank => $rank } }
                                    @{ $ranked[$rank] } } 0 .. $#ranked;
}

sub place { return join ' ', @{ $_[0] }{qw(role call where)} }

sub text {
    my ($way) = @_;
    return place($way) . ", call $way->{first}"
        . ($way->{run} ? '' : ' and all others') . ", $way->{how}";
}

# By their ranks; of the first rank, places that have failed in this part of the
# run come last; else in an order that is the seed's.
sub in_order {
    my ($part, @ways) = @_;
    my %key;
    for my $way (@ways = grep { text($_) =~ $only } @ways) {
        my $place = place($way);
        $known{$part}{$place} = 1;
        my $again = $way->{rank} == LIKELY && $failed{$part}{$place} ? 1 : 0;
        $key{$way} = "$way->{rank}$again" . md5("$seed " . text($way));
    }
    return sort { $key{$a} cmp $key{$b} } @ways;
}

# What came of one of them.
sub note {
    my ($part, $result) = @_;
    $failed{$part}{ place($result->{way}) } = 1 if $result->{hits};
    return $result;
}

# How many there are, as far as is known, and in how many a call has failed.
sub places {
    my ($part) = @_;
    return map { scalar keys %{ $_->{$part} } } \%known, \%failed;
}

1;

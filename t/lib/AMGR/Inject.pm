# SPDX-License-Identifier: Apache-2.0
#
# Lets calls into the C library fail (lib/c/inject.c) that certain objects make:
# of a server, all of whose processes share the file that says which.
#
#   my $i = AMGR::Inject->new("$dir/inject", 'mod_apache_manager.so');
#   $s->{env} = $i->env;                  # and start it
#   $i->clear;                            # do something, and then
#   for my $site ($i->sites) { ... }      # who called what how often meanwhile
#   $i->arm(call => 'openat', first => 3, how => 'EMFILE', roles => ['ticker']);
#   $i->disarm;                           # the number of calls that have failed
package AMGR::Inject;

use strict;
use warnings;

use AMGR::Build qw(repo_dir build_dir built);
use Errno ();

# As in lib/c/inject.c.
use constant {
    ROLES      => [qw(parent worker ticker supervisor guard check other)],
    HEAD       => [qw(armed call site roles first run how seen hits parent)],
    NAMES_AT   => 4096,
    NAME_BYTES => 32,
    CALLS      => 128,
    SITES_AT   => 8192,
    SITES      => 2048,
    SITE_BYTES => 16,
    HOW        => { SHORT => 1000, END => 1001 },
};

my %place = map { HEAD->[$_] => 8 * $_ } 0 .. $#{ +HEAD };

sub object {
    return built('inject.so', map { repo_dir() . "/t/lib/c/$_" }
        qw(inject.c inject_calls.c inject.h));
}

# @objects: parts of the names of those whose calls fail.
sub new {
    my ($class, $file, @objects) = @_;
    open my $fh, '+>:raw', $file or die "$file: $!\n";
    $fh->autoflush(1);
    my $self = bless { file => $file, fh => $fh,
                       objects => [@objects] }, $class;
    $self->zero(0, SITES_AT + SITES * SITE_BYTES);
    return $self;
}

sub env {
    my ($self) = @_;
    return { LD_PRELOAD => object(), AMGR_INJECT => $self->{file},
             AMGR_INJECT_FROM => join ':', @{ $self->{objects} } };
}

sub put {
    my ($self, $at, $bytes) = @_;
    sysseek $self->{fh}, $at, 0 or die "$self->{file}: $!\n";
    syswrite($self->{fh}, $bytes) == length($bytes)
        or die "$self->{file}: $!\n";
    return;
}

sub take {
    my ($self, $at, $count) = @_;
    sysseek $self->{fh}, $at, 0 or die "$self->{file}: $!\n";
    my $bytes;
    my $got = sysread $self->{fh}, $bytes, $count;
    die "$self->{file} is too short\n" unless ($got // -1) == $count;
    return $bytes;
}

sub zero { my ($self, $at, $count) = @_; return $self->put($at, "\0" x $count) }

sub value {
    my ($self, $name) = @_;
    return unpack 'Q<', $self->take($place{$name}, 8);
}

sub set {
    my ($self, $name, $value) = @_;
    return $self->put($place{$name}, pack 'Q<', $value);
}

# The program to come is the parent of all.
sub forget_parent { return $_[0]->set(parent => 0) }

# Counts begin anew.
sub clear {
    my ($self) = @_;
    $self->zero(SITES_AT, SITES * SITE_BYTES);
    return;
}

# Names of the calls, from 0 on; none before a process has begun.
sub calls {
    my ($self) = @_;
    return @{ $self->{calls} } if $self->{calls};
    my @names = grep { length } unpack '(Z' . NAME_BYTES . ')' . CALLS,
        $self->take(NAMES_AT, NAME_BYTES * CALLS);
    $self->{calls} = \@names if @names;
    return @names;
}

sub call_number {
    my ($self, $name) = @_;
    my @calls = $self->calls;
    my ($number) = grep { $calls[$_] eq $name } 0 .. $#calls;
    return $number // die "no call '$name'\n";
}

# Places that have called: { key, role, call, object, offset, count }.
sub sites {
    my ($self) = @_;
    my @sites;
    for my $bytes (unpack '(a' . SITE_BYTES . ')*',
                   $self->take(SITES_AT, SITES * SITE_BYTES)) {
        my ($key, $count) = unpack 'Q<2', $bytes;
        push @sites, { $self->site($key), count => $count } if $key;
    }
    return sort { $a->{key} <=> $b->{key} } @sites;
}

sub site {
    my ($self, $key) = @_;
    my @calls = $self->calls;
    return (key => $key, call => $calls[($key & 0xff) - 1],
            role => ROLES->[($key >> 56) % 16],
            object => $self->{objects}[($key >> 60) - 1],
            offset => ($key >> 8) % 2 ** 48);
}

sub role_bits {
    my $bits = 0;
    for my $name (@_) {
        my ($role) = grep { ROLES->[$_] eq $name } 0 .. $#{ +ROLES };
        $bits |= 1 << ($role // die "no role '$name'\n");
    }
    return $bits;
}

# call, site, roles: which; left out, any.  Of those that match the first'th, and
# run - 1 more (0: all).  how: the name of an errno, SHORT or END.
sub arm {
    my ($self, %o) = @_;
    my $how = $o{how};
    my $errno = HOW->{$how} // Errno->can($how)
        // die "no errno '$how'\n";
    my %head = (
        armed => 1,
        call  => defined $o{call} ? $self->call_number($o{call}) + 1 : 0,
        site  => $o{site} // 0,
        roles => role_bits(@{ $o{roles} // [] }),
        first => $o{first} // 1,
        run   => $o{run} // 1,
        how   => ref $errno ? $errno->() : $errno,
        seen  => 0,
        hits  => 0,
    );
    $self->set(armed => 0);
    $self->put(8, pack 'Q<*', map { $head{$_} } @{ +HEAD }[1 .. 8]);
    $self->set(armed => 1);
    return;
}

sub hits { return $_[0]->value('hits') }

sub disarm {
    my ($self) = @_;
    $self->set(armed => 0);
    return $self->hits;
}

# "function file:line" of places in a file with its symbols.
sub where {
    my ($file, @offsets) = @_;
    return unless @offsets;
    # The call is before the place that it returns to.
    open my $out, '-|', 'addr2line', '-f', '-e', $file,
        map { sprintf '%#x', $_ - 1 } @offsets or die "addr2line: $!\n";
    chomp(my @lines = <$out>);
    close $out;
    my %where;
    for my $offset (@offsets) {
        my ($function, $line) = splice @lines, 0, 2;
        $line =~ s/ \(discriminator \d+\)//;
        $line =~ s{^.*?/((?:src|t)/)}{$1};
        $where{$offset} = "$function $line";
    }
    return \%where;
}

1;

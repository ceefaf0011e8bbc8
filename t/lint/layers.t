#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A file includes only its own layer and those above it; httpd, cli and fetch
# never meet; nothing from base to render knows of httpd.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(sources slurp without_comments @CORE);
use Test::More;

my @order = (@CORE, 'httpd');
my %rank = map { $order[$_] => $_ } 0 .. $#order;
$rank{cli} = $rank{fetch} = $rank{httpd};

# Headers of httpd, without its core's name in the path.
my $of_httpd = qr{^(?:httpd\.h|http_\w+\.h|ap_\w+\.h|ap\w*_hooks\.h
                   |scoreboard\.h|mpm_common\.h|unixd\.h|util_\w+\.h
                   |mod_\w+\.h)$}x;

sub layer_of {
    my ($file) = @_;
    return 'httpd' if $file eq 'mod_apache_manager.c';
    return $file =~ m{^src/([^/]+)/} ? $1 : undef;
}

my $includes = 0;
for my $file (sources()) {
    my $layer = layer_of($file);
    if (!ok(defined $layer && exists $rank{$layer},
            "$file is in a layer of the list")) {
        next;
    }
    my @wrong;
    my $text = without_comments(slurp($file));
    while ($text =~ /^\s*#\s*include\s*([<"])([^>"]+)[>"]/mg) {
        my ($quote, $name) = ($1, $2);
        $includes++;
        if ($quote eq '<') {
            push @wrong, "<$name> is httpd's"
                if $name =~ $of_httpd && $layer ne 'httpd';
            push @wrong, "<$name> is ours: use quotes" if -e "src/$name";
            next;
        }
        # Generated files live in build/gen, under their layer's name too.
        my ($other) = $name =~ m{^([a-z]+)/};
        if (!defined $other || !exists $rank{$other}) {
            push @wrong, "\"$name\" names no layer";
        }
        elsif ($rank{$other} > $rank{$layer}) {
            push @wrong, "\"$name\" is below $layer";
        }
        elsif ($other ne $layer && $rank{$other} == $rank{$layer}) {
            push @wrong, "\"$name\": httpd, cli and fetch never meet";
        }
    }
    is("@wrong", '', "$file includes what it may");
}
cmp_ok($includes, '>', 20, 'includes were found at all');
done_testing();

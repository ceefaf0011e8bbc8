#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Each header compiles alone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(headers apr_flags httpd_include build_dir);
use Test::More;

my @apr = apr_flags();
my $httpd = httpd_include();
my $cc = $ENV{CC} // 'cc';

for my $header (headers()) {
    my @command = (split(' ', $cc), qw(-fsyntax-only -std=gnu11 -Wall -Wextra
                   -Werror -Wno-unused-function -Isrc), '-I' . build_dir()
                   . '/gen', @apr);
    push @command, '-isystem', $httpd if $header =~ m{^src/httpd/};
    my ($name) = $header =~ m{^src/(.*)};
    my $out = check($name, @command);
    is($out, '', "$header compiles alone") or diag($out);
}

# Twice, which also proves the include guard.
sub check {
    my ($name, @command) = @_;
    pipe my $in, my $feed or die "pipe: $!\n";
    pipe my $result, my $out or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        close $feed;
        close $result;
        open STDIN, '<&', $in;
        open STDOUT, '>&', $out;
        open STDERR, '>&', $out;
        exec @command, '-x', 'c', '-' or exit 127;
    }
    close $in;
    close $out;
    print {$feed} qq(#include "$name"\n#include "$name"\n);
    close $feed;
    local $/;
    my $text = <$result> // '';
    waitpid $pid, 0;
    return $? ? $text || "exit status $?" : $text;
}

done_testing();

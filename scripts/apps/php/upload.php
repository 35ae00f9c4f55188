<?php
header('Content-Type: text/plain');
$file = $_FILES['file'];
printf("%s %d %s", $file['name'], $file['size'], $file['error'] ? "error $file[error]" : hash_file('sha256', $file['tmp_name']));

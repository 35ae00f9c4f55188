package auth

// AttemptsEach is for the tests outside the package.
const AttemptsEach = wrongEach
